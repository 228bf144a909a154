import type { StreamHeaders } from '@millrace/server'
import { ServerResponse } from 'node:http'
import { writeHead, type NodeRequest, type NodeResponse } from './node-http.ts'
import { NodeTransport, type Route } from './node-transport.ts'
import { streamHead } from './stream-head.ts'

export interface OpenTransportOptions {
  /** Headers besides those of every stream, and instead of them where they have the same name. @default none */
  readonly headers?: StreamHeaders
}

/**
 * Starts a stream on a response: status 200 and the headers are on their way when it returns, and the request's body,
 * if nobody reads it, is drained, because Node cuts connections whose request stays unfinished (`requestTimeout`).
 * When the head was sent before, the stream goes on from there. `HEAD` is the caller's to answer.
 */
export function openTransport(
  request: NodeRequest,
  response: NodeResponse,
  options: OpenTransportOptions = {},
): NodeTransport {
  if (request.readableFlowing === null && hasBody(request)) request.resume()
  const head = streamHead(request, response, options.headers ?? {})
  const route = routeOf(request, response, head)
  if (!response.headersSent) sendHead(response, head, route)
  return new NodeTransport(request, response, route)
}

/**
 * Bytes may go to the socket only while the response would do nothing else with them: nobody stands in between, codes
 * the body or has sent anything before, and the response owns the socket, for which a pipelined one has to wait.
 */
function routeOf(request: NodeRequest, response: NodeResponse, head: StreamHeaders): Route {
  const own = ServerResponse.prototype
  const isDirect =
    request.httpVersionMajor === 1 &&
    request.method !== 'HEAD' &&
    response.write === own.write &&
    response.end === own.end &&
    response.writeHead === own.writeHead &&
    !response.headersSent &&
    response.socket === request.socket &&
    !isCoded(response, head)
  if (!isDirect) return 'response'
  return request.httpVersionMinor === 0 ? 'identity' : 'chunked'
}

function isCoded(response: NodeResponse, head: StreamHeaders): boolean {
  if (response.hasHeader('content-encoding') || response.hasHeader('transfer-encoding')) return true
  return Object.keys(head).some((name) => /^(?:content|transfer)-encoding$/i.test(name))
}

function sendHead(response: NodeResponse, head: Record<string, string>, route: Route): void {
  // Said, not left to be found out: the framing that follows must be the one that was announced.
  if (route === 'chunked') head['Transfer-Encoding'] = 'chunked'
  response.removeHeader('content-length')
  writeHead(response, 200, head)
  if (!('flushHeaders' in response)) return
  const { socket } = response
  if (route !== 'response' && socket) {
    // The head and the first block leave together, in one packet: 5% less CPU for a connect (benchmark `idle`).
    socket.cork()
    process.nextTick(() => socket.uncork())
  }
  response.flushHeaders()
}

function hasBody(request: NodeRequest): boolean {
  const { headers } = request
  return (
    headers['content-length'] !== undefined ||
    headers['transfer-encoding'] !== undefined ||
    request.httpVersionMajor > 1
  )
}
