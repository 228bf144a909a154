import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'

/** A request as Node, and every framework on it, hands it to a handler. */
export type NodeRequest = IncomingMessage | Http2ServerRequest

/** A response as Node, and every framework on it, hands it to a handler. */
export type NodeResponse = ServerResponse | Http2ServerResponse

/** Either kind's `writeHead`, which TypeScript cannot call as one. */
export function writeHead(response: NodeResponse, status: number, headers: OutgoingHttpHeaders): void {
  if ('stream' in response) response.writeHead(status, headers)
  else response.writeHead(status, headers)
}
