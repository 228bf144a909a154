import type { IncomingMessage } from 'node:http'

/** Why no more bytes come: the body is whole, its sender has left, or nothing came for too long. */
export type BodyEnd = 'whole' | 'gone' | 'late'

/**
 * Reads the body of a request at the reader's own pace: what is not asked for stays in the socket. One read at a time.
 */
export class BodyReader {
  readonly #request: IncomingMessage
  readonly #patienceMs: number
  #wake: (() => void) | undefined

  constructor(request: IncomingMessage, patienceMs: number) {
    this.#request = request
    this.#patienceMs = patienceMs
    const wake = (): void => this.#wake?.()
    request.on('readable', wake).once('end', wake).once('close', wake).on('error', wake)
  }

  /** What has arrived, or why there is nothing more. */
  async read(): Promise<Buffer | BodyEnd> {
    for (let isLate = false; ;) {
      // Null when nothing is there yet: but then it asks for more.
      const bytes = this.#request.read() as Buffer | null
      if (bytes !== null) return bytes
      if (this.#request.readableEnded) return 'whole'
      if (this.#request.destroyed) return 'gone'
      if (isLate) return 'late'
      isLate = await this.#wait()
    }
  }

  /** Resolves at the next sign of the body, or with true after the time. */
  #wait(): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isLate: boolean): void => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve(isLate)
      }
      const timer = setTimeout(() => settle(true), this.#patienceMs)
      this.#wake = () => settle(false)
    })
  }
}
