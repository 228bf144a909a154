import { problem, problemBody, PROBLEM_TYPE, type Problem } from '@millrace/node'
import type { Duplex } from 'node:stream'
import { LINGER_MS } from './answer-unread.ts'
import type { ConnectionTurns } from './connection-turns.ts'

/**
 * Ends a connection on which something came that Node could not read as a request. The time limit of Node is not for
 * `paced` connections: what is sent on them has a limit of its own.
 */
export function answerClientError(
  turns: ConnectionTurns,
  paced: WeakSet<object>,
  error: NodeJS.ErrnoException,
  socket: Duplex,
): void {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && paced.has(socket)) return
  // Answered, and more of the same keeps coming.
  if (socket.writableEnded && error.code !== 'ECONNRESET') return
  if (!socket.writable || error.code === 'ECONNRESET') socket.destroy()
  else turns.fail(socket, faultOf(error.code))
}

/** `CONNECT` asks for a tunnel; without an answer Node would only close the connection. */
export function answerConnect(turns: ConnectionTurns, socket: Duplex): void {
  socket.on('error', () => socket.destroy()).resume()
  turns.fail(
    socket,
    problem(405, 'This is not a proxy: CONNECT is not for it. Use GET or POST.', { Allow: 'GET, POST' }),
  )
}

/**
 * Says it, if there is something to say, and ends our side. The other side is read for a while, or the close would reset the connection and the reset
 * could overtake the answer (RFC 9112, 9.6); a client that never ends its own side is then cut off.
 */
export function endWith(socket: Duplex, fault?: Problem): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
  if (!fault) {
    socket.end()
    return
  }
  const allow = fault.headers?.['Allow']
  const body = problemBody(fault)
  socket.end(
    `HTTP/1.1 ${fault.status} ${fault.title}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${allow === undefined ? '' : `Allow: ${allow}\r\n`}Connection: close\r\n\r\n${body}`,
  )
}

function faultOf(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW')
    return problem(431, 'The headers are larger than 16 KiB. Send fewer or shorter ones.')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return problem(408, 'The request did not arrive in time. Send it faster.')
  return problem(400, 'This is not a request that HTTP/1.1 allows.')
}
