import type { StoredEvent } from '@millrace/server'
import { keyOf } from './value-ledger.ts'
import { must } from './violation.ts'

/** Numbers in binary add up to a little more or less. Milliseconds. */
const ROUNDING_MS = 1e-6

/**
 * S8: while a stream stays live, no two values of a key come sooner after each other than the rate allows, unless the
 * topic is finished. What it is given when it joins is not counted.
 */
export class RateWatch {
  readonly #intervalMs: number
  readonly #sentAtMs = new Map<string, number>()
  /** What the write under way has. */
  #values: StoredEvent[] = []
  #ended = new Set<string>()

  /** @param intervalMs 0: nothing is judged */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  note(value: StoredEvent): void {
    this.#values.push(value)
  }

  noteEnd(topic: string): void {
    this.#ended.add(topic)
  }

  /** A write is over. */
  check(nowMs: number, isLive: boolean): void {
    const [values, ended] = [this.#values, this.#ended]
    this.#values = []
    this.#ended = new Set()
    if (!isLive) this.interrupt()
    if (!isLive || this.#intervalMs === 0) return
    for (const value of values) {
      const key = keyOf(value)
      const waitedMs = nowMs - (this.#sentAtMs.get(key) ?? -Infinity)
      const isDue = waitedMs >= this.#intervalMs - ROUNDING_MS || ended.has(value.topic)
      must(
        isDue,
        'S8',
        () => `${key} comes ${waitedMs} ms after the value before, and ${this.#intervalMs} are the least`,
      )
      this.#sentAtMs.set(key, nowMs)
    }
  }

  /** The stream is not live any more. */
  interrupt(): void {
    this.#sentAtMs.clear()
  }
}
