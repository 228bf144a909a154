import type { AttemptEnd } from '../attempt/read-event-stream.ts'
import { retryAfterMs } from '../stream/retry-after.ts'

/** What is known when an attempt has ended. */
export interface BackoffFacts {
  readonly end: AttemptEnd
  /** Whether the standard has the source closed for good now. */
  readonly isFinal: boolean
  /** How many attempts in a row had ended before this one, none of which was open for as long as the reconnection time. */
  readonly failureCount: number
  /** The stream's, 100 at the least. */
  readonly reconnectionTimeMs: number
}

/**
 * How long to wait for the next attempt, in milliseconds; the reconnection time is waited for in any case. `false` closes the
 * source. What it throws is an uncaught error, and the source does what the standard says.
 */
export type Backoff = (facts: BackoffFacts) => number | false

export interface ExponentialBackoffOptions {
  /** How much longer each wait is than the one before it, from the second failure in a row on. 1 or more. @default 2 */
  readonly factor?: number | undefined
  /** The most that a wait grows to, before chance adds to it. Milliseconds. @default 30000 */
  readonly maxDelayMs?: number | undefined
  /** Up to this part of each wait is added to it by chance; at most a tenth of the first. 0 to 1. @default 0.5 */
  readonly jitter?: number | undefined
  /**
   * Statuses after which to try again; the standard has every status but 200 end an `EventSource`. When the response has a
   * `Retry-After` that can be read, it is waited for: of another origin, where that exposes it.
   *
   * @default []
   */
  readonly retryStatuses?: readonly number[] | undefined
  /** Gives numbers from 0 to 1. @default Math.random */
  readonly chance?: (() => number) | undefined
}

/** Longer and longer waits, spread by chance, so that thousands of clients do not come back at once. */
export function exponentialBackoff(options: ExponentialBackoffOptions = {}): Backoff {
  const { factor = 2, maxDelayMs = 30_000, jitter = 0.5, retryStatuses = [], chance = Math.random } = options
  return ({ end, isFinal, failureCount, reconnectionTimeMs }) => {
    if (isFinal && !(end.kind === 'status' && retryStatuses.includes(end.status))) return false
    const grownMs = Math.max(reconnectionTimeMs, Math.min(reconnectionTimeMs * factor ** failureCount, maxDelayMs))
    const askedMs = end.kind === 'status' ? retryAfterMs(end.headers, Date.now()) : 0
    const jitterMs = grownMs * chance() * (failureCount === 0 ? Math.min(jitter, 0.1) : jitter)
    return Math.max(grownMs, askedMs ?? 0) + jitterMs
  }
}
