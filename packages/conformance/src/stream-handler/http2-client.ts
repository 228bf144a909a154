import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import type { StreamClient, WayToLeave } from './stream-client.ts'

/** A connection of HTTP/2, for one or more streams. */
export class Http2Connection {
  isClosed = false
  readonly #session: ClientHttp2Session

  constructor(port: number) {
    this.#session = connect(`http://127.0.0.1:${port}`)
    // How a connection breaks is told by 'close'; whether it may, by the case.
    this.#session.on('error', () => {})
    this.#session.on('close', () => {
      this.isClosed = true
    })
  }

  open(path: string, method = 'GET'): Http2Client {
    return new Http2Client(this.#session, this.#session.request({ ':path': path, ':method': method }))
  }

  destroy(): void {
    this.#session.destroy()
  }
}

/** One request of HTTP/2. */
export class Http2Client implements StreamClient {
  onChange: () => void = () => {}
  head: StreamClient['head']
  body = ''
  end: 'none' | 'whole' | 'cut' = 'none'
  readonly #session: ClientHttp2Session
  readonly #stream: ClientHttp2Stream

  constructor(session: ClientHttp2Session, stream: ClientHttp2Stream) {
    this.#session = session
    this.#stream = stream
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
    if (how === 'close') this.#session.destroy()
    else if (how === 'reset') this.#stream.close(constants.NGHTTP2_CANCEL)
    else this.#session.socket.destroySoon()
  }

  check(): void {}
}
