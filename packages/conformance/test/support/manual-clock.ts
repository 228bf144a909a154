import type { Clock } from '@millrace/server'

/** A clock that stands still until it is moved. It calls nobody: the log evicts whenever it is asked. */
export class ManualClock implements Clock {
  #nowMs = 0
  #skewMs = 1_700_000_000_000

  now(): number {
    return this.#nowMs
  }

  time(): number {
    return this.#skewMs + this.#nowMs
  }

  after(): () => void {
    return () => undefined
  }

  soon(callback: () => void): void {
    setImmediate(callback)
  }

  pass(ms: number): void {
    this.#nowMs += ms
  }

  step(ms: number): void {
    this.#skewMs += ms
  }
}
