import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { TestingError } from '../testing-error.ts'
import type { Answer, Framing, HeaderList, HeadOptions } from './answer.ts'
import type { CutKind, CutRule } from './cut-rule.ts'
import { GzipBody } from './gzip-body.ts'
import type { Ending, RecordedRequest } from './recorded-request.ts'
import { SentBytes } from './sent-bytes.ts'

/** A request as it came, without what its answer adds to the record. */
export type RequestFacts = Omit<RecordedRequest, 'sent' | 'ending'> & { readonly httpVersion: string }

const STREAM_HEADERS: HeaderList = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' }
const LAST_CHUNK = Buffer.from('0\r\n\r\n')

/**
 * Writes an answer to a socket, byte by byte as the script wants it; Node's own response is passed by, since it lets
 * nobody cut inside a head or a chunk.
 */
export class SocketAnswer implements Answer {
  readonly request: RecordedRequest
  readonly upstream: URL | undefined
  readonly #facts: RequestFacts
  readonly #socket: Socket
  readonly #onChange: () => void
  readonly #over = new AbortController()
  readonly #sent = new SentBytes()
  #ending: Ending = 'open'
  #framing: Framing | 'none' | undefined
  #cut: { readonly rule: CutRule; readonly kind: CutKind } | undefined
  #gzip: GzipBody | undefined
  #holdUntilBytes = 0
  #held: Uint8Array[] = []
  #heldBytes = 0

  /** @param onChange is called when something was sent, and when the answer is over */
  constructor(facts: RequestFacts, socket: Socket, upstream: URL | undefined, onChange: () => void) {
    this.#facts = facts
    this.#socket = socket
    this.upstream = upstream
    this.#onChange = onChange
    const sent = this.#sent
    const ending = (): Ending => this.#ending
    this.request = {
      ...facts,
      get sent() {
        return sent.bytes
      },
      get ending() {
        return ending()
      },
    }
    socket.once('close', () => this.#finish('left'))
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  get isOpen(): boolean {
    return this.#ending === 'open'
  }

  get hasBegun(): boolean {
    return this.#sent.byteLength > 0
  }

  async head({ status = 200, headers = STREAM_HEADERS, framing }: HeadOptions = {}): Promise<void> {
    this.#needNoHead('head()')
    const pairs = Array.isArray(headers) ? [...(headers as [string, string][])] : Object.entries(headers)
    this.#framing = this.#choose(status, pairs, framing)
    const kept = pairs.filter(([name]) => this.#framing !== 'chunked' || name.toLowerCase() !== 'content-length')
    if (this.#gzip) kept.push(['Content-Encoding', 'gzip'])
    if (this.#framing === 'chunked') kept.push(['Transfer-Encoding', 'chunked'])
    kept.push(['Connection', 'close'])
    const lines = kept.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    await this.raw(Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n`, 'latin1'))
  }

  async write(body: Uint8Array): Promise<void> {
    if (!this.isOpen || body.length === 0) return
    if (this.#framing === undefined) await this.head()
    await this.#hold(this.#gzip ? await this.#gzip.push(body) : body)
  }

  async raw(bytes: Uint8Array): Promise<void> {
    if (!this.isOpen) return
    const cutAt = this.#cutWithin(bytes)
    const part = cutAt === undefined ? bytes : bytes.subarray(0, cutAt)
    this.#sent.append(part)
    if (part.length > 0) {
      await new Promise<void>((resolve) => {
        this.#socket.write(part, () => resolve())
      })
      this.#onChange()
    }
    // Only after the bytes have left: a reset would take them along.
    if (cutAt !== undefined) this.cut(this.#cut?.kind ?? 'fin')
  }

  async end(): Promise<void> {
    if (!this.isOpen) return
    if (this.#framing === undefined && !this.hasBegun) await this.head()
    if (this.#gzip) await this.#hold(await this.#gzip.finish())
    await this.#release()
    if (this.#framing === 'chunked') await this.raw(LAST_CHUNK)
    if (this.#finish('ended')) this.#socket.end(() => this.#socket.destroy())
  }

  cut(kind: CutKind): void {
    if (!this.#finish('cut')) return
    if (kind === 'rst') this.#socket.resetAndDestroy()
    else this.#socket.end(() => this.#socket.destroy())
  }

  cutWhen(rule: CutRule, kind: CutKind): void {
    this.#cut = { rule, kind }
    if (this.isOpen && rule(this.#sent.bytes) === 0) this.cut(kind)
  }

  holdBack(untilBytes: number): void {
    this.#holdUntilBytes = untilBytes
  }

  compress(flush: 'each' | 'never'): void {
    this.#needNoHead('gzip()')
    this.#gzip = new GzipBody(flush)
  }

  #needNoHead(step: string): void {
    if (this.#framing === undefined) return
    throw new TestingError('head_was_sent', `${step} comes after the head was sent: put it first in the script.`)
  }

  #choose(status: number, headers: readonly (readonly [string, string])[], wanted?: Framing): Framing | 'none' {
    // RFC 9112, 6.3: these have no body, whatever their headers say.
    if (status === 204 || status === 304 || this.request.method === 'HEAD') return 'none'
    if (wanted !== undefined) return wanted
    if (!this.#gzip && headers.some(([name]) => name.toLowerCase() === 'content-length')) return 'length'
    return this.#facts.httpVersion === '1.0' ? 'close' : 'chunked'
  }

  async #hold(body: Uint8Array): Promise<void> {
    if (body.length === 0) return
    this.#held.push(body)
    this.#heldBytes += body.length
    if (this.#heldBytes >= this.#holdUntilBytes) await this.#release()
  }

  async #release(): Promise<void> {
    const body = Buffer.concat(this.#held)
    this.#held = []
    this.#heldBytes = 0
    if (body.length === 0 || this.#framing === 'none') return
    await this.raw(this.#framing === 'chunked' ? chunk(body) : body)
  }

  /** How many of the next bytes may still leave; undefined when all. */
  #cutWithin(next: Uint8Array): number | undefined {
    if (!this.#cut) return undefined
    const before = this.#sent.bytes
    const end = this.#cut.rule(Buffer.concat([before, next]))
    if (end === undefined || end > before.length + next.length) return undefined
    // A place that has been passed is cut at once.
    return Math.max(0, end - before.length)
  }

  /** False when it was over already. */
  #finish(ending: Ending): boolean {
    if (!this.isOpen) return false
    this.#ending = ending
    this.#held = []
    this.#over.abort()
    this.#onChange()
    return true
  }
}

function chunk(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')])
}
