import type { WireFrame } from './frame.ts'

/** Those who wait, inside the process, until there is more to read. */
export class Advances {
  #waiting = new Set<(ephemeral: readonly WireFrame[]) => void>()

  get hasWaiting(): boolean {
    return this.#waiting.size > 0
  }

  /** Resolves when there may be more to read, with the ephemeral events that came along, or when the signal is aborted. */
  next(signal: AbortSignal | undefined): Promise<readonly WireFrame[]> {
    if (signal?.aborted) return Promise.resolve([])
    return new Promise((resolve) => {
      const waiting = this.#waiting
      const settle = (ephemeral: readonly WireFrame[]): void => {
        signal?.removeEventListener('abort', onAbort)
        waiting.delete(settle)
        resolve(ephemeral)
      }
      const onAbort = (): void => settle([])
      waiting.add(settle)
      signal?.addEventListener('abort', onAbort)
    })
  }

  tell(ephemeral: readonly WireFrame[]): void {
    const waiting = this.#waiting
    if (waiting.size === 0) return
    this.#waiting = new Set()
    for (const resolve of waiting) resolve(ephemeral)
  }
}
