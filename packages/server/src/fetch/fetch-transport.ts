import type { Payload } from '../payload.ts'
import type { Transport, TransportOwner, TransportProtocol } from '../transport.ts'

/** When so much waits, `write` asks to wait; Node's own streams have the same mark. */
const HIGH_WATER_BYTES = 64 * 1024

/**
 * The body of a web-standard `Response` as a {@link Transport}.
 *
 * A chunk is handed over when the platform comes for one, and counts as waiting until it comes for the next. So a
 * platform that waits for its socket is seen to wait; one that does not holds what it took where nobody sees it.
 * It is no stream of the type `bytes`: that takes each buffer away from who gave it, and payloads are shared.
 *
 * Ending: `end` ends the body; the connection is the platform's.
 */
export class FetchTransport implements Transport {
  readonly protocol: TransportProtocol = 'fetch'
  readonly body: ReadableStream<Uint8Array>
  readonly #signal: AbortSignal
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  /** Handed to the platform, which has not come back since. */
  #handedBytes = 0
  /** Whether the platform has come for a chunk when there was none. */
  #isAwaited = false
  /** From a `write` that returned false until the owner is told of room. */
  #isFull = false
  #state: 'open' | 'ending' | 'gone' = 'open'
  #owner: TransportOwner | undefined

  /** The signal is the request's, which says that the client has left. */
  constructor(signal: AbortSignal) {
    this.#signal = signal
    this.body = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#pull(),
        cancel: () => this.#leave(),
      },
      // Nothing is handed over before it is come for.
      { highWaterMark: 0 },
    )
    if (signal.aborted) this.#onAbort()
    else signal.addEventListener('abort', this.#onAbort)
  }

  attach(owner: TransportOwner): void {
    this.#owner = owner
    if (this.#state === 'gone') queueMicrotask(() => owner.onClose())
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + this.#handedBytes
  }

  write({ bytes }: Payload): boolean {
    if (this.#state !== 'open') return false
    if (this.#isAwaited) this.#hand(bytes)
    else {
      this.#queue.push(bytes)
      this.#queuedBytes += bytes.byteLength
    }
    this.#isFull ||= this.bufferedBytes >= HIGH_WATER_BYTES
    return !this.#isFull
  }

  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    if (this.#isAwaited) this.#finish()
  }

  destroy(): void {
    if (this.#state === 'gone') return
    this.#controller?.error(new Error('The server cut the stream off.'))
    this.#leave()
  }

  #pull(): void {
    this.#handedBytes = 0
    const next = this.#queue.shift()
    if (next) {
      this.#queuedBytes -= next.byteLength
      this.#hand(next)
    } else if (this.#state === 'ending') this.#finish()
    else {
      this.#isAwaited = true
      // A platform may come from within `write`, which must not call its owner.
      if (this.#isFull) queueMicrotask(this.#tellDrained)
    }
  }

  #hand(bytes: Uint8Array): void {
    this.#isAwaited = false
    this.#handedBytes = bytes.byteLength
    this.#controller?.enqueue(bytes)
  }

  #finish(): void {
    this.#controller?.close()
    this.#leave()
  }

  readonly #tellDrained = (): void => {
    // Who has written meanwhile is told when that is gone.
    if (!this.#isFull || this.#state !== 'open' || this.bufferedBytes > 0) return
    this.#isFull = false
    this.#owner?.onDrain()
  }

  /** There is nobody left to tell of an error but the platform, and some print those. */
  readonly #onAbort = (): void => {
    if (this.#state !== 'gone') this.#finish()
  }

  #leave(): void {
    if (this.#state === 'gone') return
    this.#state = 'gone'
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#queue = []
    this.#queuedBytes = 0
    this.#handedBytes = 0
    const owner = this.#owner
    if (owner) queueMicrotask(() => owner.onClose())
  }
}
