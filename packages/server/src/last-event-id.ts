import type { StreamRequest } from './stream-request.ts'

/**
 * The id that a client came back with, as it was sent to it: the header wins over the query parameter
 * `last_event_id`, which is for clients that cannot set headers. Hostile input; undefined when there is none.
 */
export function lastEventIdOf(request: Pick<StreamRequest, 'header' | 'query'>): string | undefined {
  return headerIdOf(request) ?? (new URLSearchParams(request.query).get('last_event_id') || undefined)
}

/** The id of the header alone. */
export function headerIdOf(request: Pick<StreamRequest, 'header'>): string | undefined {
  const header = request.header('last-event-id')
  return header ? utf8Of(header) : undefined
}

/** HTML, 9.2.3: the id is sent as UTF-8; platforms make one character of each byte of a header. */
function utf8Of(header: string): string {
  const bytes = new Uint8Array(header.length)
  for (let i = 0; i < header.length; i++) {
    const code = header.charCodeAt(i)
    // A platform that has decoded it already.
    if (code > 0xff) return header
    bytes[i] = code
  }
  return new TextDecoder().decode(bytes)
}
