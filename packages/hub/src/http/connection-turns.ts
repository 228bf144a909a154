import type { Problem } from '@millrace/node'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { endWith } from './client-error.ts'

/** How many requests may wait behind one that has not got its stream yet; one more ends the connection. */
const MAX_WAITING = 100

/** What one connection carries. */
interface Turns {
  /** The last response: answers come in the order of the requests (RFC 9112, 9.3.2), so it is the last to end. */
  last: ServerResponse
  stream: 'none' | 'undecided' | 'open'
  /** What came behind a request for a stream, until that is decided. */
  waiting: (() => void)[] | undefined
  /** Nothing that comes after a fault can be read as a request. */
  hasFault: boolean
}

/**
 * Keeps the order of requests and answers on each connection, where Node does not: behind an open stream no request
 * ever has its turn, and nothing but the stream itself is written into it.
 */
export class ConnectionTurns {
  readonly #turns = new WeakMap<Duplex, Turns>()

  /**
   * Serves a request at once, or when the one before it was refused its stream. Behind an open stream it ends the
   * connection: thousands of requests waiting there would only cost memory.
   */
  serve(request: IncomingMessage, response: ServerResponse, serve: () => void): void {
    const { socket } = request
    const turns = this.#turns.get(socket)
    if (!turns) {
      this.#turns.set(socket, { last: response, stream: 'none', waiting: undefined, hasFault: false })
      serve()
      return
    }
    turns.last = response
    behind(turns, socket, serve)
  }

  /** The request that is being served asks for a stream; `handled` tells that it has got one, or an answer. */
  async openStream(request: IncomingMessage, response: ServerResponse, handled: Promise<unknown>): Promise<void> {
    const turns = this.#turns.get(request.socket)
    if (!turns) return
    turns.stream = 'undecided'
    await handled
    turns.stream = response.headersSent && !response.writableEnded ? 'open' : 'none'
    const { waiting } = turns
    if (!waiting) return
    turns.waiting = undefined
    // One of them may ask for a stream too: then the rest waits again.
    for (const next of waiting) behind(turns, request.socket, next)
  }

  /** Ends a connection on which something came that is no request, and says so if it still can be said. */
  fail(socket: Duplex, fault: Problem): void {
    const turns = this.#turns.get(socket)
    if (!turns) {
      endWith(socket, fault)
      return
    }
    if (turns.hasFault) return
    turns.hasFault = true
    behind(turns, socket, () => failAfter(turns.last, socket, fault))
  }
}

function behind(turns: Turns, socket: Duplex, next: () => void): void {
  if (turns.stream === 'none') next()
  else if (turns.stream === 'open' || (turns.waiting?.length ?? 0) >= MAX_WAITING) socket.destroy()
  else (turns.waiting ??= []).push(next)
}

/** A fault in the body of a request is its answer, unless it has one; a fault behind it is said after its answer. */
function failAfter(last: ServerResponse, socket: Duplex, fault: Problem): void {
  if (last.writableFinished) endWith(socket, fault)
  else if (last.req.complete) last.once('finish', () => endWith(socket, fault))
  else if (!last.headersSent) endWith(socket, fault)
  else endWith(socket)
}
