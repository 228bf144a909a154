import { ClientError, type ClientErrorCode } from '../client-error.ts'
import type { Clock } from '../clock.ts'

/** Why an attempt was ended from here: an error, or that another one is wanted. */
export type StopCause = ClientError | 'restart'

/** One request for events, from `authorize` to the end of the response: what it may wait for, and what has come of it. */
export class FeedAttempt {
  readonly #clock: Clock
  readonly #controller = new AbortController()
  #cancelLimit: (() => void) | undefined
  cause: StopCause | undefined
  /** It has done what it is for: its failure is not counted with those before. */
  isGood: boolean = false
  /** Bytes have come after those that come at once: nothing on the way keeps them back. */
  isFlowing: boolean = false
  /** Whether the connection lives is to be looked at soon. */
  onDoubt: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Ends it. Also when it has ended: no timer is left. */
  stop(cause?: StopCause): void {
    this.limit(false)
    if (this.signal.aborted) return
    this.cause = cause
    this.#controller.abort()
  }

  /** Ends it by an error unless the next limit is set before. Milliseconds, or false for no limit. */
  limit(delayMs: number | false, code: ClientErrorCode = 'timeout', message = ''): void {
    this.#cancelLimit?.()
    this.#cancelLimit =
      delayMs === false ? undefined : this.#clock.after(delayMs, () => this.stop(new ClientError(code, message)))
  }

  /** Waits for no longer than the attempt goes on. */
  async until<T>(promise: T | Promise<T>): Promise<T> {
    const { signal } = this
    let onAbort: (() => void) | undefined
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason as Error)
      signal.addEventListener('abort', onAbort)
    })
    try {
      return await Promise.race([promise, aborted])
    } finally {
      if (onAbort) signal.removeEventListener('abort', onAbort)
    }
  }
}
