import type { Clock } from '@millrace/server'
import type { Random } from './random.ts'
import { must } from './violation.ts'

/** The time of a run, shared by the clocks of its nodes. It moves only when the run moves it. */
export interface SimulatedTime {
  /** Milliseconds since the run began. */
  nowMs: number
  /** Added to the time of day: it may jump. */
  skewMs: number
}

interface Timer {
  readonly dueMs: number
  readonly order: number
  readonly callback: () => void
}

const LONGEST_DELAY_MS = 2 ** 31 - 1

/** The clock of one node. */
export class FakeClock implements Clock {
  readonly #time: SimulatedTime
  readonly #random: Random
  /** How far time creeps on at each look at the clock, at most: work takes time. Milliseconds. */
  #creepMs: number
  readonly #timers = new Set<Timer>()
  #soon: (() => void)[] = []
  #order = 0
  #stopped = false

  constructor(time: SimulatedTime, random: Random, creepMs: number) {
    this.#time = time
    this.#random = random
    this.#creepMs = creepMs
  }

  now(): number {
    if (this.#creepMs > 0) this.#time.nowMs += this.#random.fraction() * this.#creepMs
    return this.#time.nowMs
  }

  time(): number {
    return 1_700_000_000_000 + Math.floor(this.#time.nowMs) + this.#time.skewMs
  }

  after(delayMs: number, callback: () => void): () => void {
    must(delayMs >= 0 && delayMs <= LONGEST_DELAY_MS, 'Clock', () => `after(${delayMs}) is out of range`)
    if (this.#stopped) return () => {}
    const timer = { dueMs: this.#time.nowMs + delayMs, order: this.#order++, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  soon(callback: () => void): void {
    if (!this.#stopped) this.#soon.push(callback)
  }

  /** From now on work takes no time. */
  stopCreeping(): void {
    this.#creepMs = 0
  }

  get timerCount(): number {
    return this.#timers.size
  }

  get soonCount(): number {
    return this.#soon.length
  }

  /** When the next timer is due, milliseconds; undefined without timers. */
  get nextDueMs(): number | undefined {
    return this.#nextTimer()?.dueMs
  }

  get hasOverdueTimer(): boolean {
    const due = this.nextDueMs
    return due !== undefined && due <= this.#time.nowMs
  }

  /** Fires the timer that is due first, if one is due. */
  fireDueTimer(): boolean {
    const timer = this.#nextTimer()
    if (!timer || timer.dueMs > this.#time.nowMs) return false
    this.#timers.delete(timer)
    timer.callback()
    return true
  }

  /** Runs one callback of `soon`: any of those that wait, as the contract promises no order. */
  runSoon(random: Random): boolean {
    const [callback] = this.#soon.splice(random.below(this.#soon.length), 1)
    callback?.()
    return callback !== undefined
  }

  /** The process of this node has died: nothing is called any more. */
  stop(): void {
    this.#stopped = true
    this.#timers.clear()
    this.#soon = []
  }

  #nextTimer(): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (!first || timer.dueMs < first.dueMs || (timer.dueMs === first.dueMs && timer.order < first.order))
        first = timer
    }
    return first
  }
}
