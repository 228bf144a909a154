import type { Clock } from '@millrace/server'

/** A clock that a test moves by hand. Timers fire while it is moved. */
export class HandClock implements Clock {
  #nowMs = 0
  #wallMs: number
  readonly #timers = new Map<() => void, number>()

  constructor(wallMs: number = 1_700_000_000_000) {
    this.#wallMs = wallMs
  }

  now(): number {
    return this.#nowMs
  }

  time(): number {
    return this.#wallMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = (): void => callback()
    this.#timers.set(timer, this.#nowMs + delayMs)
    return () => this.#timers.delete(timer)
  }

  soon(callback: () => void): void {
    setImmediate(callback)
  }

  /** Moves both clocks on. */
  pass(ms: number): void {
    this.#nowMs += ms
    this.#wallMs += ms
    for (const [timer, dueMs] of [...this.#timers]) {
      if (dueMs > this.#nowMs) continue
      this.#timers.delete(timer)
      timer()
    }
  }

  /** Sets the wall clock, as an operator does; no time goes by. */
  step(ms: number): void {
    this.#wallMs += ms
  }
}
