import type { Payload } from '../../src/payload.ts'
import type { Transport, TransportOwner } from '../../src/transport.ts'

const decoder = new TextDecoder()

/** A transport whose client a test plays: it takes bytes only when told to, and leaves when told to. */
export class PlayedClient implements Transport {
  /** What the client has taken. */
  received = ''
  ended: 'no' | 'gracefully' | 'at once' = 'no'
  /** Whether the client takes everything as it is written. */
  reads = true
  readonly #highWaterBytes: number
  #owner: TransportOwner | undefined
  #waiting: Uint8Array[] = []
  #owesDrain = false

  constructor(highWaterBytes = 16) {
    this.#highWaterBytes = highWaterBytes
  }

  attach(owner: TransportOwner): void {
    if (this.#owner) throw new Error('attached twice')
    this.#owner = owner
  }

  get bufferedBytes(): number {
    return this.#waiting.reduce((sum, bytes) => sum + bytes.byteLength, 0)
  }

  write(payload: Payload): boolean {
    if (!this.#owner) throw new Error('written to before it was attached')
    if (this.ended !== 'no') return false
    this.#waiting.push(payload.bytes)
    if (this.reads) this.take()
    if (this.bufferedBytes >= this.#highWaterBytes) this.#owesDrain = true
    return !this.#owesDrain
  }

  end(): void {
    if (this.ended === 'no') this.ended = 'gracefully'
  }

  destroy(): void {
    this.ended = 'at once'
    this.#waiting = []
  }

  /** The client takes this many writes. */
  take(count = Number.POSITIVE_INFINITY): void {
    for (const bytes of this.#waiting.splice(0, count)) this.received += decoder.decode(bytes)
    if (!this.#owesDrain || this.#waiting.length > 0) return
    this.#owesDrain = false
    this.#owner?.onDrain()
  }

  /** The connection is gone. */
  leave(): void {
    this.#waiting = []
    this.#owner?.onClose()
  }
}
