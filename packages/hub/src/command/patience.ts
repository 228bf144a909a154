import { retryPolicy, type ClientError, type RetryDecision } from '@millrace/client'
import { setTimeout as pause } from 'node:timers/promises'
import { CommandFailure } from './command-failure.ts'
import type { PostFailure } from './post-events.ts'

/** Added to by chance. */
const MIN_DELAY_MS = 500
/** A bound that only an operator can mend asks for so long, or says nothing about it. Milliseconds. */
const LASTING_MS = 60_000
const MAX_BACKOFF_MS = 10_000
/** Failures in a row, of a hub that does not answer. */
const MAX_ATTEMPTS = 6
/** How long a hub is waited for that says "later": the keys of a fast pipe need the whole `dedupeWindowMs` to expire. */
const LATER_MS = 300_000

const failing = retryPolicy(
  { maxBackoffMs: MAX_BACKOFF_MS, maxAttempts: MAX_ATTEMPTS, giveUpAfterMs: false },
  Math.random,
)
const later = retryPolicy({ maxBackoffMs: MAX_BACKOFF_MS, maxAttempts: false, giveUpAfterMs: LATER_MS }, Math.random)

/** Time, as a test may want it. */
export interface PatienceClock {
  nowMs(): number
  wait(delayMs: number): Promise<unknown>
}

const systemTime: PatienceClock = { nowMs: () => performance.now(), wait: (delayMs) => pause(delayMs) }

/** Decides whether what has failed is tried again, and waits until then. */
export class Patience {
  readonly #clock: PatienceClock
  #failures = 0
  #failingSinceMs = 0
  #hasReached = false

  constructor(clock: PatienceClock = systemTime) {
    this.#clock = clock
  }

  /** Something was stored. */
  onProgress(): void {
    this.#failures = 0
    this.#hasReached = true
  }

  /**
   * Waits, when it is worth it.
   *
   * @param isSafe whether it may be sent again although it may be stored already
   * @throws CommandFailure the failure, when it is no use to try again
   */
  async wait({ error, isUnreached, isRefused }: PostFailure, isSafe: boolean): Promise<void> {
    const isWrongPlace = isUnreached && !this.#hasReached
    this.#hasReached ||= !isUnreached
    if (isWrongPlace)
      throw new CommandFailure(`${error.message} Start a hub with "millrace serve", or name one with --url.`)
    const nowMs = this.#clock.nowMs()
    if (this.#failures++ === 0) this.#failingSinceMs = nowMs
    const decision = this.#decide(error, nowMs - this.#failingSinceMs)
    const isHarmless = isSafe || isUnreached || isRefused
    if (!isHarmless || 'giveUp' in decision) throw new CommandFailure(error.message, { cause: error })
    process.stderr.write(`millrace: ${error.message} Trying again in ${(decision.delayMs / 1000).toFixed(1)} s.\n`)
    await this.#clock.wait(decision.delayMs)
  }

  #decide(error: ClientError, failingMs: number): RetryDecision {
    const isLater = error.status === 429
    if (isLater && (error.retryAfterMs ?? LASTING_MS) >= LASTING_MS) return { giveUp: 'it does not mend by itself' }
    const state = { failures: this.#failures, failingMs, floorMs: MIN_DELAY_MS, wasGood: false, canRenew: false }
    return (isLater ? later : failing)(error, state)
  }
}
