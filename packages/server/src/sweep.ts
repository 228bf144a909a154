import type { Clock } from './clock.ts'

/** How long one slice may take before other work gets its turn. */
const SLICE_MS = 5
const DEFAULT_INTERVAL_MS = 1_000

/** What is looked at now and then: a session or a subscriber. */
export interface SweepMember {
  /** `nowMs` is of {@link Clock.now}. May add and remove members, itself included. */
  sweep(nowMs: number): void
}

export interface SweepOptions {
  /** From the end of one pass to the start of the next. Milliseconds, 1 to 2^31-1. @default 1000 */
  readonly intervalMs?: number
}

/**
 * One timer for any number of members, instead of one timer each.
 *
 * Order: members are visited in the order in which they were added, each at most once in a pass. One that was added
 * during a pass may have to wait for the next; one that was removed is not visited any more.
 * Fairness: a pass is done in slices of 5 ms; I/O has its turn between two slices.
 * Errors: what a member throws leaves through the timer, as from any callback; the pass goes on with the next member.
 * Ending: there is no timer while there are no members, and the timer keeps no process alive.
 */
export class Sweep {
  readonly #clock: Clock
  /** From the end of one pass to the start of the next, in milliseconds. */
  readonly intervalMs: number
  readonly #members = new Set<SweepMember>()
  readonly #onTurn = (): void => this.#slice()
  #cancelTimer: (() => void) | undefined
  #pass: Iterator<SweepMember> | undefined
  /** Members left in this pass: what is added meanwhile cannot make it longer. */
  #leftCount = 0

  constructor(clock: Clock, options: SweepOptions = {}) {
    this.#clock = clock
    this.intervalMs = options.intervalMs ?? DEFAULT_INTERVAL_MS
  }

  /** How many members there are. */
  get size(): number {
    return this.#members.size
  }

  /** Adding twice adds once. */
  add(member: SweepMember): void {
    this.#members.add(member)
    if (!this.#pass && !this.#cancelTimer) this.#arm()
  }

  /** Removing what is not a member does nothing. */
  remove(member: SweepMember): void {
    this.#members.delete(member)
    if (this.#members.size > 0 || !this.#cancelTimer) return
    this.#cancelTimer()
    this.#cancelTimer = undefined
  }

  #arm(): void {
    this.#cancelTimer = this.#clock.after(this.intervalMs, this.#onTurn)
  }

  #slice(): void {
    this.#cancelTimer = undefined
    if (!this.#pass) {
      this.#pass = this.#members.values()
      this.#leftCount = this.#members.size
    }
    let nowMs = this.#clock.now()
    const endMs = nowMs + SLICE_MS
    try {
      while (this.#leftCount > 0 && nowMs < endMs) {
        this.#leftCount--
        const next = this.#pass.next()
        if (next.done) this.#leftCount = 0
        else next.value.sweep(nowMs)
        nowMs = this.#clock.now()
      }
    } finally {
      this.#goOn()
    }
  }

  #goOn(): void {
    if (this.#leftCount > 0) {
      this.#clock.soon(this.#onTurn)
      return
    }
    this.#pass = undefined
    if (this.#members.size > 0) this.#arm()
  }
}
