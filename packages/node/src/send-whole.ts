import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { NodeResponse } from './node-http.ts'

/** Answers at once and ends. A response whose head was sent, or whose client has left, is left alone. */
export function sendWhole(response: NodeResponse, status: number, headers: OutgoingHttpHeaders, body?: string): void {
  if (response.headersSent || response.destroyed) return
  // The compatibility API of HTTP/2 takes the same arguments; only the overloads cannot be united.
  const http1 = response as ServerResponse
  http1.writeHead(status, headers)
  http1.end(body)
}
