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
 * Counts from the last byte, at the cost of two numbers for each chunk. A timer that fires late proves nothing: the
 * machine slept, and what came may wait to be read. It then waits a little longer, twice at the most. Where the clock of
 * timers stands still in sleep, the time of day tells whoever asks by {@link Watchdog.doubt}.
 */
export class Watchdog {
  readonly #clock: Clock
  readonly #onSilent: () => void
  readonly #time: () => number
  #limitMs: number | false = false
  #heardAtMs = 0
  /** When that was by the time of day. */
  #heardTimeMs = 0
  #isInDoubt = false
  #graces = 0
  #cancel: (() => void) | undefined

  /** @param time the time of day, in milliseconds */
  constructor(clock: Clock, onSilent: () => void, time: () => number) {
    this.#clock = clock
    this.#onSilent = onSilent
    this.#time = time
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
    this.#heardTimeMs = this.#time()
    this.#graces = 0
    this.#isInDoubt = false
  }

  /**
   * The machine may have slept, or changed its network: until the next byte the connection is not given the whole limit,
   * but the silence that was promised, and a little for what waits to be read. Milliseconds.
   */
  doubt(promisedMs: number): void {
    if (this.#limitMs === false || this.#isInDoubt) return
    this.#isInDoubt = true
    this.#cancel?.()
    const silentMs = Math.max(this.#clock.now() - this.#heardAtMs, this.#time() - this.#heardTimeMs)
    this.#wait(Math.max(0, promisedMs - silentMs) + GRACE_MS)
  }

  #wait(delayMs: number): void {
    const dueMs = this.#clock.now() + delayMs
    this.#cancel = this.#clock.after(delayMs, () => this.#look(dueMs))
  }

  #look(dueMs: number): void {
    if (this.#limitMs === false) return
    const nowMs = this.#clock.now()
    const restMs = this.#isInDoubt ? 0 : this.#heardAtMs + this.#limitMs - nowMs
    if (restMs > 0) this.#wait(restMs)
    else if (nowMs - dueMs > LATE_MS && this.#graces++ < MAX_GRACES) this.#wait(GRACE_MS)
    else {
      this.watch(false)
      this.#onSilent()
    }
  }
}
