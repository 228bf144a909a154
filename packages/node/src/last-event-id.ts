import { readQuery } from '@millrace/server'
import type { NodeRequest } from './node-http.ts'

/**
 * The id that a client came back with, as it was sent to it: the header wins over the query parameter
 * `last_event_id`, which is for clients that cannot set headers. Hostile input; undefined when there is none.
 */
export function lastEventId(request: NodeRequest): string | undefined {
  const header = request.headers['last-event-id']
  const bytes = Array.isArray(header) ? header.join() : header
  // HTML, 9.2.3: the id is sent as UTF-8; Node makes one character of each byte of a header.
  if (bytes) return Buffer.from(bytes, 'latin1').toString('utf8')
  return new URLSearchParams(rawQuery(request)).get('last_event_id') || undefined
}

/**
 * The query of a request's URL.
 *
 * @throws HubError `invalid_request` when a topic or type in it is not UTF-8
 */
export function queryOf(request: NodeRequest): URLSearchParams {
  return readQuery(rawQuery(request))
}

function rawQuery({ url = '' }: NodeRequest): string {
  const start = url.indexOf('?')
  return start === -1 ? '' : url.slice(start + 1)
}
