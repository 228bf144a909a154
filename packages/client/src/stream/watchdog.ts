import type { Clock } from '../clock.ts'

/** A timer that fires later than this was held up: by sleep, or by a browser that saves power. Milliseconds. */
const LATE_MS = 1_000
/** What a late timer waits for bytes that came meanwhile and have not been read yet. Milliseconds. */
const GRACE_MS = 2_000
/** Timers of a hidden tab are late each time, and a dead connection has to be noticed there too. */
const MAX_GRACES = 2

/**
 * Notices that a connection is silent for longer than it may be.
 *
 * Counts from the last byte, at the cost of one number for each chunk. A timer that fires late proves nothing: the
 * machine slept, and what came may wait to be read. It then waits a little longer, twice at the most.
 */
export class Watchdog {
  readonly #clock: Clock
  readonly #onSilent: () => void
  #limitMs: number | false = false
  #heardAtMs: number
  #graces = 0
  #cancel: (() => void) | undefined

  constructor(clock: Clock, onSilent: () => void) {
    this.#clock = clock
    this.#onSilent = onSilent
    this.#heardAtMs = clock.now()
  }

  /** Starts to watch, or goes on with another limit. Milliseconds, or false to rest: a silence of nobody's making. */
  watch(limitMs: number | false): void {
    this.#limitMs = limitMs
    this.hear()
    this.#cancel?.()
    this.#cancel = undefined
    if (limitMs !== false) this.#wait(limitMs)
  }

  /** Bytes have come. */
  hear(): void {
    this.#heardAtMs = this.#clock.now()
    this.#graces = 0
  }

  #wait(delayMs: number): void {
    const dueMs = this.#clock.now() + delayMs
    this.#cancel = this.#clock.after(delayMs, () => this.#look(dueMs))
  }

  #look(dueMs: number): void {
    if (this.#limitMs === false) return
    const nowMs = this.#clock.now()
    const restMs = this.#heardAtMs + this.#limitMs - nowMs
    if (restMs > 0) this.#wait(restMs)
    else if (nowMs - dueMs > LATE_MS && this.#graces++ < MAX_GRACES) this.#wait(GRACE_MS)
    else {
      this.watch(false)
      this.#onSilent()
    }
  }
}
