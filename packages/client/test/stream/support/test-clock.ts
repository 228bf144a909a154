import type { Clock } from '../../../src/clock.ts'

interface Timer {
  readonly dueMs: number
  readonly callback: () => void
}

/** A clock that stands still until a test moves it. Timers fire in the order of their due times. */
export class TestClock implements Clock {
  #nowMs = 0
  #timers: Timer[] = []

  get timerCount(): number {
    return this.#timers.length
  }

  now(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): () => void {
    if (!(delayMs >= 0 && delayMs <= 2 ** 31 - 1)) throw new RangeError(`a timer of ${delayMs} ms`)
    const timer: Timer = { dueMs: this.#nowMs + delayMs, callback }
    const later = this.#timers.findIndex((other) => other.dueMs > timer.dueMs)
    this.#timers.splice(later < 0 ? this.#timers.length : later, 0, timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Time goes by while nothing runs: the machine sleeps. Timers are late afterwards. */
  sleep(ms: number): void {
    this.#nowMs += ms
  }

  /** Moves time on, calling what falls due on the way and letting all that follows from it happen. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    await settle()
    for (let timer = this.#timers[0]; timer && timer.dueMs <= endMs; timer = this.#timers[0]) {
      this.#timers.shift()
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs)
      timer.callback()
      await settle()
    }
    this.#nowMs = Math.max(this.#nowMs, endMs)
  }

  /** Moves time on from timer to timer until something is true. Fails after `withinMs`. */
  async until(isTrue: () => boolean, withinMs = 3_600_000): Promise<void> {
    const endMs = this.#nowMs + withinMs
    await settle()
    while (!isTrue()) {
      const next = this.#timers[0]
      if (!next || next.dueMs > endMs) throw new Error(`not true within ${withinMs} ms of the clock`)
      await this.advance(Math.max(0, next.dueMs - this.#nowMs))
    }
  }
}

/** Lets every promise that can be resolved be resolved: one turn of the event loop, no waiting. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
}
