import { parseSelector, ProtocolError, userTopic, type Selector } from '@millrace/protocol'
import { isClientName, MAX_CLIENT_NAME_LENGTH } from './client-name.ts'
import { HubError } from './hub-error.ts'
import type { From, SubscribeRequest } from './subscribe-request.ts'

/** Parameters that the interface has and this version does not build: never ignored. */
const NOT_BUILT = ['ticket', 'partial']
const MAX_TYPES = 100
/** How a client asks for its own topic. */
const OWN = '@me'

export interface ReadOptions {
  /** What a stream gets that names no topic. */
  readonly defaultSelectors: readonly Selector[]
  readonly maxTopicsPerStream: number
  /** The id of the user who asks: whom `@me` stands for. */
  readonly user?: string | undefined
}

/**
 * Reads what a client asks for from its query and its `Last-Event-ID` header. Unknown parameters are ignored.
 *
 * @throws HubError `invalid_request`, saying what was wrong and what to do
 */
export function readSubscribeRequest(
  query: URLSearchParams,
  lastEventIdHeader: string | undefined,
  options: ReadOptions,
): SubscribeRequest {
  for (const name of NOT_BUILT) {
    if (query.has(name)) throw invalid(`The parameter "${name}" is not built yet. Leave it out.`)
  }
  return {
    selectors: query.has('topic')
      ? readSelectors(query.getAll('topic'), options.maxTopicsPerStream, options.user)
      : options.defaultSelectors,
    types: readTypes(query),
    from: readFrom(query.get('from')),
    lastEventId: lastEventIdHeader || query.get('last_event_id') || undefined,
    nameBy: readChoice(query, 'name', ['type', 'topic'], 'type'),
    envelope: readChoice(query, 'envelope', ['0', '1'], '0') === '1',
    client: readClient(query),
  }
}

/**
 * Reads topics and patterns, each of which may be several with commas between. `@me` becomes the topic of the user, if
 * there is one.
 *
 * @throws HubError `invalid_request`
 */
export function readSelectors(
  texts: readonly string[],
  maxTopicsPerStream: number,
  user?: string,
): readonly Selector[] {
  const given = texts.flatMap((text) => text.split(','))
  if (given.length === 0) throw invalid('No topic is asked for. Name at least one, such as "stocks.*".')
  if (given.length > maxTopicsPerStream) {
    throw invalid(
      `${given.length} topics are asked for; one stream may have ${maxTopicsPerStream}. Use a pattern, or several streams.`,
    )
  }
  return [...new Set(given.map((text) => (text === OWN && user !== undefined ? userTopic(user) : readSelector(text))))]
}

function readSelector(text: string): Selector {
  try {
    return parseSelector(text)
  } catch (error) {
    if (error instanceof ProtocolError) throw invalid(error.message, error)
    throw error
  }
}

function readTypes(query: URLSearchParams): readonly string[] {
  const types = [...new Set(query.getAll('type'))]
  if (types.length > MAX_TYPES) throw invalid(`${types.length} types are asked for; one stream may have ${MAX_TYPES}.`)
  const empty = types.includes('')
  if (empty) throw invalid('A "type" is empty. Leave it out for all types; events without one have the type "message".')
  return types
}

function readFrom(value: string | null): From {
  if (value === null || value === 'now') return 'now'
  if (value === 'snapshot' || value === 'earliest') return value
  throw invalid(`"from" is ${JSON.stringify(value.slice(0, 64))}; use "now", "snapshot" or "earliest".`)
}

function readClient(query: URLSearchParams): string | undefined {
  const name = query.get('client')
  if (name === null) return undefined
  if (isClientName(name)) return name
  throw invalid(
    `"client" is ${JSON.stringify(query.get('client')?.slice(0, 64))}; it must be 1 to ${MAX_CLIENT_NAME_LENGTH} characters, none of them a control character.`,
  )
}

function readChoice<T extends string>(query: URLSearchParams, name: string, choices: readonly T[], fallback: T): T {
  const value = query.get(name)
  if (value === null) return fallback
  const choice = choices.find((known) => known === value)
  if (choice !== undefined) return choice
  throw invalid(
    `"${name}" is ${JSON.stringify(value.slice(0, 64))}; use ${choices.map((known) => `"${known}"`).join(' or ')}.`,
  )
}

function invalid(message: string, cause?: unknown): HubError {
  return new HubError('invalid_request', message, cause === undefined ? undefined : { cause })
}
