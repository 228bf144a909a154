import { MAX_DELAY_MS } from '../clock.ts'

/** How an `EventSource` spaces out its attempts beyond the standard's reconnection time. */
export interface Backoff {
  /** How much longer each wait is than the one before it, from the second failure in a row on. 1 to 10. @default 2 */
  readonly factor?: number | undefined
  /** The most that a wait grows to; one that the server asks for stands. Milliseconds, 0 to 2^31-1. @default 30000 */
  readonly maxDelayMs?: number | undefined
  /** Up to this part of each wait is added to it by chance; at most a tenth of the first. 0 to 1. @default 0.5 */
  readonly jitter?: number | undefined
  /**
   * Statuses after which to try again; the standard has every status but 200 end an `EventSource` for good. `Retry-After`
   * is then obeyed. @default []
   */
  readonly retryStatuses?: readonly number[] | undefined
}

/** However short the stream's `retry` is: no server can make its clients ask without a pause. Milliseconds. */
const MIN_DELAY_MS = 100

/**
 * How long to wait for the next attempt, in milliseconds: never less than the reconnection time (§9.2.3 lets a client
 * wait longer), never more than a timer holds.
 *
 * @param failureCount failed attempts in a row before the one that has just ended
 * @param chance from 0 to 1
 */
export function reconnectDelayMs(
  reconnectionTimeMs: number,
  failureCount: number,
  backoff: Backoff | undefined,
  chance: number,
): number {
  const leastMs = Math.max(reconnectionTimeMs, MIN_DELAY_MS)
  if (!backoff) return leastMs
  const { factor = 2, maxDelayMs = 30_000, jitter = 0.5 } = backoff
  const grownMs = Math.max(leastMs, Math.min(leastMs * factor ** failureCount, maxDelayMs))
  const spread = failureCount === 0 ? Math.min(jitter, 0.1) : jitter
  return Math.min(grownMs * (1 + spread * chance), MAX_DELAY_MS)
}
