import type { NodeRequest, NodeResponse } from './node-http.ts'
import { streamHead } from './stream-head.ts'

/**
 * Middleware for those who write a stream by hand: sets the right headers, and sends nothing. Works in Express, in
 * connect and, without `next`, in any handler.
 *
 * @example
 * app.get('/clock', sseHeaders, (request, response) => {
 *   response.flushHeaders()
 *   response.write('data: hello\n\n')
 * })
 */
export function sseHeaders(request: NodeRequest, response: NodeResponse, next?: () => void): void {
  for (const [name, value] of Object.entries(streamHead(request, response, {}))) response.setHeader(name, value)
  next?.()
}
