import { problemBody, PROBLEM_TYPE, type Problem } from '@millrace/node'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** How long what is left of a refused request is read for. Milliseconds. */
export const LINGER_MS = 5_000

/**
 * Answers a request whose body was not read to its end, and closes the connection a while later: a connection that is
 * closed with unread bytes is reset, and the reset can overtake the answer (RFC 9112, 9.6).
 */
export function answerUnread(request: FastifyRequest, reply: FastifyReply, fault: Problem): void {
  const body = problemBody(fault)
  reply.hijack()
  const { raw: response } = reply
  response.writeHead(fault.status, {
    ...fault.headers,
    'Content-Type': PROBLEM_TYPE,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    Connection: 'close',
  })
  response.write(body)
  const timer = setTimeout(() => response.end(), LINGER_MS)
  response.once('close', () => clearTimeout(timer))
  request.raw.once('end', () => response.end()).resume()
}
