import { HubError } from './hub-error.ts'
import { nearestName } from './nearest-name.ts'
import { readJsonBody } from './read-json-body.ts'
import { readQuery } from './read-query.ts'
import { shown } from './shown.ts'
import type { StreamRequest } from './stream-request.ts'

/** What a body may ask for, by the names of the query. */
const NAMES = [
  'topic',
  'type',
  'from',
  'last_event_id',
  'name',
  'envelope',
  'client',
  'partial',
  'ticket',
  'wait',
  'state',
] as const

/**
 * What a client asks for: the query of a GET, or the JSON body of a POST, which has the same names. What the body leaves out is
 * taken from the query: who posts to a URL that asks for a topic means that topic.
 *
 * @throws HubError `invalid_request`; BodyFault
 */
export async function readParameters(request: StreamRequest): Promise<URLSearchParams> {
  if (request.method === 'GET') return readQuery(request.query)
  const body = await readJsonBody(request, '{"topic": ["stocks.*"]}')
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(body)) {
    if (!(NAMES as readonly string[]).includes(name)) throw unknownName(name)
    for (const text of textsOf(name, value)) parameters.append(name, text)
  }
  const query = readQuery(request.query)
  for (const name of NAMES) {
    if (!parameters.has(name)) for (const text of query.getAll(name)) parameters.append(name, text)
  }
  return parameters
}

/** A text, a list of texts, a number, or a switch, which the query has as 1 and 0. */
function textsOf(name: string, value: unknown): readonly string[] {
  const isList = Array.isArray(value) && (name === 'topic' || name === 'type')
  const values: readonly unknown[] = isList ? value : [value]
  if (isList && values.length === 0) throw invalid(`"${name}" is an empty list. Leave it out, or name at least one.`)
  return values.map((each) => {
    if (typeof each === 'boolean') return each ? '1' : '0'
    if (typeof each === 'string') return each
    if (typeof each === 'number' && Number.isFinite(each)) return String(each)
    throw invalid(
      `"${name}" is ${shown(each)}; give a text${isList || name === 'topic' || name === 'type' ? ' or a list of texts' : ''}.`,
    )
  })
}

/** A query may carry what is somebody else's; a body is for the hub alone, and a typo would open another stream. */
function unknownName(name: string): HubError {
  const near = nearestName(name, NAMES)
  return invalid(
    `There is no ${shown(name)} in what a stream can be asked for.${near ? ` Did you mean "${near}"?` : ''}`,
  )
}

function invalid(message: string, cause?: unknown): HubError {
  return new HubError('invalid_request', message, cause === undefined ? undefined : { cause })
}
