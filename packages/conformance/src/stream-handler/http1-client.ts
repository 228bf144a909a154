import { connect, type Socket } from 'node:net'
import { Http1Reader, type Http1Response } from './http1-reader.ts'
import type { StreamClient, WayToLeave } from './stream-client.ts'

/** A connection on which a test writes every byte itself. */
export class Http1Client implements StreamClient {
  onChange: () => void = () => {}
  isDisconnected = false
  sent: Promise<void> = Promise.resolve()
  readonly #socket: Socket
  readonly #reader = new Http1Reader()
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  #body = ''
  #decodedCount = 0
  #hasEnded = false
  #fault: Error | undefined

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    this.#socket.on('data', (bytes) => this.#change(() => this.#reader.push(bytes)))
    this.#socket.on('end', () =>
      this.#change(() => {
        this.#hasEnded = true
        this.#reader.finish()
        this.#socket.end()
      }),
    )
    // How a connection breaks is told by 'close'; whether it may, by the case.
    this.#socket.on('error', () => {})
    this.#socket.on('close', () =>
      this.#change(() => {
        this.#hasEnded = true
        this.isDisconnected = true
      }),
    )
  }

  /** Sends a request without a body, or several in one write. */
  request(...requests: { method?: string; path: string; version?: string; headers?: readonly string[] }[]): void {
    const texts = requests.map(({ method = 'GET', path, version = '1.1', headers = [] }) =>
      [`${method} ${path} HTTP/${version}`, 'Host: localhost', ...headers, '', ''].join('\r\n'),
    )
    this.send(texts.join(''), ...requests.map(({ method = 'GET' }) => method))
  }

  /** Sends anything; to be answered as these methods are. */
  send(text: string, ...methods: readonly string[]): void {
    this.#reader.methods.push(...methods)
    this.sent = new Promise((resolve) => this.#socket.write(text, () => resolve()))
  }

  get responses(): readonly Http1Response[] {
    return this.#reader.responses
  }

  get head(): Http1Response | undefined {
    return this.responses[0]
  }

  get body(): string {
    const chunks = this.head?.body ?? []
    for (; this.#decodedCount < chunks.length; this.#decodedCount++) {
      this.#body += this.#decoder.decode(chunks[this.#decodedCount], { stream: true })
    }
    return this.#body
  }

  get end(): 'none' | 'whole' | 'cut' {
    if (this.head?.isComplete) return 'whole'
    return this.#hasEnded ? 'cut' : 'none'
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  leave(how: WayToLeave): void {
    if (how === 'reset') this.#socket.resetAndDestroy()
    else if (how === 'close') this.#socket.destroy()
    else this.#socket.end()
  }

  check(): void {
    if (this.#fault) throw this.#fault
  }

  #change(apply: () => void): void {
    try {
      apply()
    } catch (error) {
      this.#fault ??= error instanceof Error ? error : new Error(String(error))
    }
    this.onChange()
  }
}
