import type { HeadersInput } from '../web-types.ts'

const LAST_EVENT_ID = 'last-event-id'
/** What no header can carry: control characters, but for the tab (RFC 9110 §5.5). */
// oxlint-disable-next-line no-control-regex
const UNSENDABLE = /[\0-\x08\x0a-\x1f\x7f]/

/**
 * The headers of a request for an event stream: the caller's own, `accept` unless the caller has set it, and the id to
 * resume from. Names are in lower case.
 *
 * The id goes out as the bytes of its UTF-8 (§9.2.4), exactly once, and takes the place of a `Last-Event-ID` of the
 * caller's own, which therefore names where a first request starts. It is left out when it is empty, and when it has
 * characters that no header can carry: such an id must not end the stream, or keep it from coming back.
 *
 * A plain object, so that a `fetch` of the user's own can spread it and add to it.
 *
 * @throws TypeError when `own` is not a set of headers.
 */
export function requestHeaders(own: HeadersInput | undefined, lastEventId: string): Record<string, string> {
  const headers: Record<string, string> = { accept: 'text/event-stream', ...Object.fromEntries(new Headers(own)) }
  if (lastEventId === '') return headers
  delete headers[LAST_EVENT_ID]
  if (!UNSENDABLE.test(lastEventId)) headers[LAST_EVENT_ID] = utf8Bytes(lastEventId)
  return headers
}

/** Each byte of the text's UTF-8 as one character: the form in which `fetch` takes the bytes of a header. */
function utf8Bytes(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('')
}
