/** Header names and values of a stream's response. */
export type StreamHeaders = Readonly<Record<string, string>>

/**
 * The response headers of every stream, over HTTP/2 and wherever the platform owns the connection.
 *
 * `Content-Type` has no charset: the format is UTF-8 by definition (HTML Standard, 9.2.5), and some clients compare
 * the whole value. `no-store` keeps caches away, `no-transform` (RFC 9111, 5.2.2.6) middleware and proxies that would
 * compress and thereby hold events back, `X-Accel-Buffering` is what nginx and its relatives obey.
 */
export const streamHeaders: StreamHeaders = Object.freeze({
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-store, no-transform',
  'X-Accel-Buffering': 'no',
  Vary: 'Accept, Origin',
})

/** The same for HTTP/1.1, whose old intermediaries take `keep-alive` as the sign to hold the connection open. */
export const http1StreamHeaders: StreamHeaders = Object.freeze({ ...streamHeaders, Connection: 'keep-alive' })

/**
 * The headers for a version as `request.httpVersion` has it. HTTP/2 forbids `Connection` (RFC 9113, 8.2.2), and an
 * HTTP/1.0 stream lasts until the connection is closed, so that `keep-alive` would be a lie.
 */
export function streamHeadersFor(httpVersion: string): StreamHeaders {
  return httpVersion === '1.1' ? http1StreamHeaders : streamHeaders
}

/** Two values of `Vary` as one. RFC 9110, 12.5.5: a list of names without regard to case, in which `*` says it all. */
export function joinVary(present: string, added: string): string {
  const names = present.split(',').map((name) => name.trim())
  for (const name of added.split(',').map((each) => each.trim())) {
    if (!names.some((each) => each.toLowerCase() === name.toLowerCase())) names.push(name)
  }
  return names.includes('*') ? '*' : names.filter((name) => name !== '').join(', ')
}
