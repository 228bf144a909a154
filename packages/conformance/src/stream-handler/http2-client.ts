import assert from 'node:assert/strict'
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { connect as connectSocket, type Socket } from 'node:net'
import type { StreamClient, WayToLeave } from './stream-client.ts'

/** A connection of HTTP/2, for one or more streams. */
export class Http2Connection {
  readonly #socket: Socket
  readonly #session: ClientHttp2Session

  constructor(port: number) {
    this.#socket = connectSocket({ port, host: '127.0.0.1', allowHalfOpen: true })
    this.#session = connect(`http://127.0.0.1:${port}`, { createConnection: () => this.#socket })
    // How a connection breaks is told by 'close'; whether it may, by the case.
    this.#session.on('error', () => {})
  }

  open(path: string, method = 'GET'): Http2Client {
    assert.ok(!this.#session.destroyed && !this.#session.closed, 'the connection is gone')
    return new Http2Client(this.#socket, this.#session.request({ ':path': path, ':method': method }))
  }

  destroy(): void {
    this.#session.destroy()
    this.#socket.destroy()
  }
}

/** One request of HTTP/2. To reset is to reset the stream; the other ways take the connection with them. */
export class Http2Client implements StreamClient {
  onChange: () => void = () => {}
  head: StreamClient['head']
  body = ''
  end: 'none' | 'whole' | 'cut' = 'none'
  readonly sent: Promise<void>
  readonly #socket: Socket
  readonly #stream: ClientHttp2Stream

  constructor(socket: Socket, stream: ClientHttp2Stream) {
    this.#socket = socket
    this.#stream = stream
    // The frames of a request leave in the turn in which the stream becomes ready, or in the next.
    this.sent = new Promise((resolve) => {
      stream.once('ready', () => setImmediate(() => setImmediate(resolve)))
      stream.once('close', resolve)
    })
    stream.setEncoding('utf8')
    stream.on('response', (fields) => {
      const headers = Object.entries(fields).filter(([name]) => !name.startsWith(':'))
      this.head = {
        status: Number(fields[':status']),
        headers: headers.flatMap(([name, value]) => [value].flat().map((each) => [name, String(each)] as const)),
      }
      this.onChange()
    })
    stream.on('data', (text: string) => {
      this.body += text
      this.onChange()
    })
    stream.on('end', () => {
      if (!stream.aborted && stream.rstCode === constants.NGHTTP2_NO_ERROR) this.end = 'whole'
      this.onChange()
    })
    stream.on('error', () => {})
    stream.on('close', () => {
      if (this.end === 'none' || stream.rstCode !== constants.NGHTTP2_NO_ERROR) this.end = 'cut'
      this.onChange()
    })
  }

  get isDisconnected(): boolean {
    return this.#stream.closed
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  leave(how: WayToLeave): void {
    if (how === 'close') this.#socket.destroy()
    else if (how === 'reset') this.#stream.close(constants.NGHTTP2_CANCEL)
    else this.#socket.end()
  }

  check(): void {}
}
