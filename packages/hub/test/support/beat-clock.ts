import type { Clock } from '@millrace/server'

/** A clock with one timer at a time, which a test lets fire. */
export class BeatClock implements Clock {
  #nowMs = 1_700_000_000_000
  #timer: { delayMs: number; callback: () => void } | undefined

  now(): number {
    return this.#nowMs
  }

  time(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): () => void {
    if (this.#timer) throw new Error('A second timer was set')
    const timer = { delayMs, callback }
    this.#timer = timer
    return () => {
      if (this.#timer === timer) this.#timer = undefined
    }
  }

  soon(callback: () => void): void {
    setImmediate(callback)
  }

  get waitingMs(): number | undefined {
    return this.#timer?.delayMs
  }

  /** Lets the timer fire so many times, each time waiting until what it started is done. */
  async beat(times = 1): Promise<void> {
    for (let left = times; left > 0; left--) {
      const timer = this.#timer
      if (!timer) throw new Error('No timer is set')
      this.#timer = undefined
      this.#nowMs += timer.delayMs
      timer.callback()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}
