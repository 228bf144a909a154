import type { Clock } from '../../src/clock.ts'

interface Timer {
  readonly dueMs: number
  readonly callback: () => void
}

/**
 * A clock that stands still until a test moves it. Timers fire in the order of their due times, equal ones in the
 * order in which they were set; `soon` callbacks run before time moves on, those they add in the turn after.
 */
export class FakeClock implements Clock {
  #nowMs = 0
  #timers: Timer[] = []
  #soon: (() => void)[] = []
  readonly #startTimeMs: number

  constructor(startTimeMs = 1_700_000_000_000) {
    this.#startTimeMs = startTimeMs
  }

  get timerCount(): number {
    return this.#timers.length
  }

  get soonCount(): number {
    return this.#soon.length
  }

  now(): number {
    return this.#nowMs
  }

  time(): number {
    return this.#startTimeMs + this.#nowMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { dueMs: this.#nowMs + delayMs, callback }
    const later = this.#timers.findIndex((other) => other.dueMs > timer.dueMs)
    this.#timers.splice(later < 0 ? this.#timers.length : later, 0, timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  soon(callback: () => void): void {
    this.#soon.push(callback)
  }

  /** One turn of the event loop: the callbacks that wait now, not those they add. */
  turn(): void {
    const callbacks = this.#soon
    this.#soon = []
    for (const callback of callbacks) callback()
  }

  /** Time goes by while code runs: nothing is called. */
  pass(ms: number): void {
    this.#nowMs += ms
  }

  /** Moves time on, calling whatever falls due on the way, and all `soon` callbacks. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    this.#settle()
    for (let timer = this.#timers[0]; timer && timer.dueMs <= endMs; timer = this.#timers[0]) {
      this.#timers.shift()
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs)
      timer.callback()
      this.#settle()
    }
    this.#nowMs = Math.max(this.#nowMs, endMs)
  }

  #settle(): void {
    for (let turns = 0; this.#soon.length > 0; turns++) {
      if (turns > 10_000) throw new Error('soon callbacks add each other without end')
      this.turn()
    }
  }
}
