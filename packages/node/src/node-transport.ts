import type { Payload, Transport, TransportOwner, TransportProtocol } from '@millrace/server'
import { ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import type { NodeRequest, NodeResponse } from './node-http.ts'

/** RFC 9113, 7: the stream is no longer needed. Importing the name would load all of `node:http2`. */
const HTTP2_CANCEL = 8

/**
 * Where the bytes go.
 * - `chunked`: to the socket, framed as chunks beforehand: one write of a buffer that all clients share, where
 *   `response.write` makes four.
 * - `identity`: to the socket as they are; the end of the connection ends the stream (HTTP/1.0).
 * - `response`: through `response.write`, because the protocol frames them (HTTP/2) or somebody stands in between.
 */
export type Route = 'chunked' | 'identity' | 'response'

/**
 * A response of `node:http`, or of the compatibility API of `node:http2`, as a {@link Transport}.
 *
 * Ending: `end` ends the connection too; over HTTP/2 only the stream, for other requests share the connection. It
 * waits for as long as the client takes: an owner that does not want to wait calls `destroy`.
 */
export class NodeTransport implements Transport {
  readonly protocol: TransportProtocol
  readonly #response: Writable
  /** The connection of HTTP/1. */
  readonly #socket: Socket | undefined
  readonly #http2Stream: ServerHttp2Stream | undefined
  /** Where a pipelined response waits for its turn: on Node 22 it hears nothing when that connection goes. */
  readonly #waitsFor: Socket | undefined
  #route: Route
  #owner: TransportOwner | undefined
  #state: 'open' | 'ending' | 'gone' = 'open'
  /** Listens for `drain`. There is none while there is room, which is nearly always. */
  #drainListener: (() => void) | undefined
  /** Whether somebody stands in between, such as a compressor: what he holds shows nowhere. */
  readonly #isWrapped: boolean
  /** Then: accepted since there was no room, and what had left through the socket when that began. */
  #backlogBytes = 0
  #backlogFromBytes = 0

  constructor(request: NodeRequest, response: NodeResponse, route: Route) {
    this.protocol = protocolOf(request)
    this.#response = response
    this.#http2Stream = request.httpVersionMajor > 1 && 'stream' in response ? response.stream : undefined
    this.#socket = this.#http2Stream ? undefined : request.socket
    this.#waitsFor = response.socket === null ? this.#socket : undefined
    this.#route = route
    this.#isWrapped = route === 'response' && isWrapped(response)
  }

  attach(owner: TransportOwner): void {
    this.#owner = owner
    // Not the request's 'close', which since Node 16 means that the request was read.
    this.#response.on('close', this.#leave)
    if (this.#waitsFor) {
      // One connection may hold many of them: that is no leak to warn of.
      this.#waitsFor.setMaxListeners(this.#waitsFor.getMaxListeners() + 1)
      this.#waitsFor.on('close', this.#leave)
    }
    // Who listens late hears nothing either.
    if (this.#hasLeft()) process.nextTick(this.#leave)
  }

  /** Unknown once the connection is gone. */
  get peer(): string | undefined {
    return (this.#socket ?? this.#http2Stream?.session?.socket)?.remoteAddress
  }

  get bufferedBytes(): number {
    if (this.#state === 'gone') return 0
    if (this.#route !== 'response' && this.#socket) return this.#socket.writableLength
    if (this.#backlogBytes === 0) return this.#response.writableLength
    return Math.max(this.#response.writableLength, this.#backlogBytes - (this.#sentBytes() - this.#backlogFromBytes))
  }

  write(payload: Payload): boolean {
    // Somebody else may have ended the response: a byte now would fall into the next one of this connection.
    if (this.#state !== 'open' || this.#response.writableEnded) return false
    // Once full, there is no room until it has drained, whatever a single write is answered with.
    if (this.#pass(payload) && !this.#drainListener) return true
    this.#awaitDrain(payload.bytes.byteLength)
    return false
  }

  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#forgetDrain()
    this.#route = 'response'
    const socket = this.#socket
    if (socket) this.#response.once('finish', () => socket.destroySoon())
    this.#response.end()
  }

  destroy(): void {
    if (this.#state === 'gone') return
    this.#state = 'ending'
    this.#forgetDrain()
    if (this.#http2Stream) this.#http2Stream.close(HTTP2_CANCEL)
    else this.#socket?.destroy()
  }

  #pass(payload: Payload): boolean {
    if (this.#route !== 'response' && this.#socket) {
      // The server ends the socket when the client half-closes; a write after that is an error.
      return this.#socket.writable && this.#socket.write(this.#route === 'chunked' ? payload.chunk : payload.bytes)
    }
    const hasRoom = this.#response.write(payload.bytes)
    if (isFlushable(this.#response)) this.#response.flush()
    return hasRoom
  }

  #awaitDrain(byteLength: number): void {
    if (this.#isWrapped) {
      if (this.#backlogBytes === 0) this.#backlogFromBytes = this.#sentBytes()
      this.#backlogBytes += byteLength
    }
    if (this.#drainListener) return
    this.#drainListener = () => {
      this.#forgetDrain()
      this.#owner?.onDrain()
    }
    this.#drainSource.on('drain', this.#drainListener)
  }

  #forgetDrain(): void {
    this.#backlogBytes = 0
    if (!this.#drainListener) return
    this.#drainSource.off('drain', this.#drainListener)
    this.#drainListener = undefined
  }

  /** What the connection's buffers in this process have been rid of. Unknown over HTTP/2, where streams share them. */
  #sentBytes(): number {
    return this.#socket ? this.#socket.bytesWritten - this.#socket.writableLength : 0
  }

  get #drainSource(): Writable {
    return this.#route !== 'response' && this.#socket ? this.#socket : this.#response
  }

  #hasLeft(): boolean {
    if (this.#http2Stream) return this.#http2Stream.destroyed || this.#http2Stream.closed
    return this.#response.destroyed || this.#response.closed || this.#socket?.destroyed === true
  }

  readonly #leave = (): void => {
    if (this.#state === 'gone') return
    this.#forgetDrain()
    this.#state = 'gone'
    this.#response.off('close', this.#leave)
    if (this.#waitsFor) {
      this.#waitsFor.off('close', this.#leave)
      this.#waitsFor.setMaxListeners(this.#waitsFor.getMaxListeners() - 1)
    }
    this.#owner?.onClose()
  }
}

function protocolOf({ httpVersionMajor, httpVersionMinor }: NodeRequest): TransportProtocol {
  if (httpVersionMajor > 1) return 'h2'
  return httpVersionMinor === 0 ? 'http/1.0' : 'http/1.1'
}

/** Of `node:http2` the prototype is not at hand: importing it would load all of it. */
function isWrapped(response: NodeResponse): boolean {
  if ('stream' in response) return Object.hasOwn(response, 'write')
  return response.write !== ServerResponse.prototype.write
}

/** What compression middleware adds to a response: a way to say that the client shall have it now. */
interface Flushable {
  flush(): void
}

function isFlushable(response: object): response is Flushable {
  return 'flush' in response && typeof response.flush === 'function'
}
