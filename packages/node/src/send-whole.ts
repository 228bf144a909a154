import { problemAnswer, type Problem, type WholeAnswer } from '@millrace/server'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { NodeResponse } from './node-http.ts'
import { varyBesides } from './stream-head.ts'

/** Longer answers than a socket takes at once wait in memory until they are read: so long without a byte. Milliseconds. */
const UNREAD_MS = 60_000
const LONG_BYTES = 64 * 1024

/**
 * Answers at once and ends. A response whose head was sent, or whose client has left, is left alone. To a `Vary` that others
 * have set is added. Of a long answer that nobody reads the connection is cut after a minute.
 */
export function sendWhole(response: NodeResponse, status: number, headers: OutgoingHttpHeaders, body?: string): void {
  if (response.headersSent || response.destroyed) return
  // The compatibility API of HTTP/2 takes the same arguments; only the overloads cannot be united.
  const http1 = response as ServerResponse
  const { Vary: vary } = headers
  http1.writeHead(status, typeof vary === 'string' ? { ...headers, Vary: varyBesides(response, vary) } : headers)
  if (body !== undefined && body.length > LONG_BYTES) {
    http1.setTimeout(UNREAD_MS, () => http1.destroy())
    http1.once('finish', () => http1.setTimeout(0))
  }
  http1.end(body)
}

/** Sends what was decided, as {@link sendWhole} does. */
export function sendAnswer(response: NodeResponse, { status, headers, body }: WholeAnswer): void {
  const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }
  sendWhole(response, status, { ...headers, ...length }, body)
}

/** Answers with a problem, as {@link sendWhole} does. */
export function sendProblem(response: NodeResponse, fault: Problem): void {
  sendAnswer(response, problemAnswer(fault))
}
