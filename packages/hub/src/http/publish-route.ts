import { problem, type NodeHub } from '@millrace/node'
import { nearestName, type PublishEvent } from '@millrace/server'
import type { FastifyInstance } from 'fastify'
import type { IncomingHttpHeaders } from 'node:http'
import { isExactNumber, parseExact } from './parse-exact.ts'
import { RequestFault } from './problem-answers.ts'

const FIELDS = ['topic', 'data', 'type']
/** Fields of the interface that this version does not build: refused, never ignored. */
const NOT_BUILT = ['key', 'ephemeral', 'dedupeKey', 'except', 'end']
const MAX_BATCH = 10_000
const EMPTY = 'The body is empty. Send {"topic": "...", "data": ...} as application/json.'

/** `POST /events`: one event or an array, stored all or none. */
export function addPublishRoute(app: FastifyInstance, hub: NodeHub): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, readJson(body as Buffer))
    } catch (error) {
      done(error as Error, undefined)
    }
  })
  app.post('/events', { onRequest: async (request) => checkContent(request.headers) }, async (request) => {
    if (request.body === undefined) throw invalid(EMPTY)
    const events = Array.isArray(request.body) ? (request.body as unknown[]) : [request.body]
    if (events.length > MAX_BATCH)
      throw invalid(`${events.length} events are too many for one request; send at most ${MAX_BATCH}.`)
    const { ids } = await hub.publish(
      events.map((event, i) => readEvent(event, Array.isArray(request.body) ? i : undefined)),
    )
    return { ids }
  })
}

/** What the body claims to be, before it is read. */
function checkContent({ 'content-type': type, 'content-encoding': coding }: IncomingHttpHeaders): void {
  if (/^application\/x-ndjson\b/i.test(type ?? '')) {
    throw invalid('Publishing as application/x-ndjson is not built yet. Send an array as application/json.')
  }
  if (coding === undefined || coding.toLowerCase() === 'identity') return
  const shown = JSON.stringify(coding.slice(0, 64))
  throw new RequestFault(problem(415, `Content-Encoding is ${shown}. Send the body as it is.`))
}

function readJson(body: Buffer): unknown {
  if (body.length === 0) throw invalid(EMPTY)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    throw invalid('The body is not valid UTF-8.')
  }
  try {
    return parseExact(text)
  } catch (error) {
    if (error instanceof RangeError) throw invalid('The body is nested too deeply.')
    throw invalid(`The body is not JSON: ${error instanceof Error ? error.message : String(error)}.`)
  }
}

/** Checks the fields of an event; their values are the engine's to check. */
function readEvent(value: unknown, index: number | undefined): PublishEvent {
  const which = index === undefined ? 'The event' : `Event ${index}`
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isExactNumber(value)) {
    throw invalid(`${which} is ${kindOf(value)}; it must be an object such as {"topic": "news", "data": "hello"}.`)
  }
  for (const name of Object.keys(value)) {
    if (!FIELDS.includes(name)) throw invalid(`${which} has ${unknownField(name)}`)
  }
  const { topic, type, data } = value as { topic?: unknown; type?: unknown; data?: unknown }
  if (topic === undefined) throw invalid(`${which} has no "topic".`)
  if (data === undefined) throw invalid(`${which} has no "data". Send null if there is nothing to say.`)
  if (typeof topic === 'string' && topic.startsWith('@')) {
    throw invalid(`${which} is for a user (${JSON.stringify(topic.slice(0, 64))}): topics of users are not built yet.`)
  }
  return { topic: topic as string, data, ...(type === undefined ? {} : { type: type as string }) }
}

/** Names the kind of a value: the value itself may be too large, or nested too deeply, to be written. */
function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (isExactNumber(value)) return 'a number'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}

function unknownField(name: string): string {
  const shown = JSON.stringify(name.slice(0, 64))
  if (NOT_BUILT.includes(name)) return `the field ${shown}, which is not built yet. Leave it out.`
  const near = nearestName(name, FIELDS)
  return `an unknown field ${shown}.${near ? ` Did you mean "${near}"?` : ''} Known are topic, data and type.`
}

function invalid(detail: string): RequestFault {
  return new RequestFault(problem(400, detail))
}
