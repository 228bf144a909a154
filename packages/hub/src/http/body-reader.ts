import type { IncomingMessage } from 'node:http'

/** Why no more bytes come: the body is whole, its sender has left, what is due did not come, or nobody wants more. */
export type BodyEnd = 'whole' | 'gone' | 'late' | 'unwanted'

/**
 * Reads the body of a request at the reader's own pace: what is not asked for stays in the socket. One read at a time.
 *
 * Whoever reads says when the sender has done what was due: bytes alone are no progress, for one now and then would hold a
 * request open without end.
 */
export class BodyReader {
  readonly #request: IncomingMessage
  readonly #patienceMs: number
  readonly #unwanted: AbortSignal
  #dueMs: number
  #wake: (() => void) | undefined

  /** @param unwanted aborted when what has not arrived is not to be waited for */
  constructor(request: IncomingMessage, patienceMs: number, unwanted: AbortSignal) {
    this.#request = request
    this.#unwanted = unwanted
    this.#patienceMs = patienceMs
    this.#dueMs = performance.now() + patienceMs
    const wake = (): void => this.#wake?.()
    request.on('readable', wake).once('end', wake).once('close', wake).on('error', wake)
    unwanted.addEventListener('abort', wake)
    request.once('close', () => unwanted.removeEventListener('abort', wake))
  }

  /** The sender has done what was due: its time begins anew. */
  restart(): void {
    this.#dueMs = performance.now() + this.#patienceMs
  }

  get isLate(): boolean {
    return performance.now() >= this.#dueMs
  }

  /** What has arrived, or why there is nothing more. */
  async read(): Promise<Buffer | BodyEnd> {
    for (;;) {
      // Null when nothing is there yet: but then it asks for more.
      const bytes = this.#request.read() as Buffer | null
      if (bytes !== null) return bytes
      if (this.#request.readableEnded) return 'whole'
      if (this.#request.destroyed) return 'gone'
      if (this.#unwanted.aborted) return 'unwanted'
      if (this.isLate) return 'late'
      await this.#wait()
    }
  }

  /** Resolves at the next sign of the body, or when it is late. */
  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
      // A timer may fire up to a millisecond early.
      const timer = setTimeout(settle, this.#dueMs - performance.now() + 1)
      this.#wake = settle
    })
  }
}
