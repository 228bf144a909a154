import type { WireFrame } from './frame.ts'

/** Somebody who waits. */
interface Waiting {
  /** Whether it is worth waking. */
  readonly isWanted: () => boolean
  settle(ephemeral: readonly WireFrame[]): void
}

const ALWAYS = (): boolean => true

/** Those who wait, inside the process, until there is more to read. */
export class Advances {
  readonly #waiting = new Set<Waiting>()

  get hasWaiting(): boolean {
    return this.#waiting.size > 0
  }

  /**
   * Resolves when there may be more to read, with the ephemeral events that came along, or when the signal is aborted.
   * `isWanted` is asked each time: thousands who find nothing are not to be woken by each pass.
   */
  next(signal: AbortSignal | undefined, isWanted: () => boolean = ALWAYS): Promise<readonly WireFrame[]> {
    if (signal?.aborted) return Promise.resolve([])
    return new Promise((resolve) => {
      const waiting: Waiting = {
        isWanted,
        settle: (ephemeral) => {
          signal?.removeEventListener('abort', onAbort)
          this.#waiting.delete(waiting)
          resolve(ephemeral)
        },
      }
      const onAbort = (): void => waiting.settle([])
      this.#waiting.add(waiting)
      signal?.addEventListener('abort', onAbort)
    })
  }

  tell(ephemeral: readonly WireFrame[]): void {
    for (const waiting of this.#waiting) if (waiting.isWanted()) waiting.settle(ephemeral)
  }
}
