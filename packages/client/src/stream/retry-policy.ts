import type { ClientError } from '../client-error.ts'
import { MAX_DELAY_MS } from '../clock.ts'

/** What the stream knows when an attempt has failed. */
export interface RetryState {
  /**
   * Attempts that failed one after the other, this one included; 0 when this one had been good until its end. A stream whose
   * grant ends within its first seconds has failed.
   */
  readonly failures: number
  /** How long there has been no connection since the start, or since the last good one. Milliseconds. */
  readonly failingMs: number
  /** The least delay: what the server last asked for with `retry:`, else `minDelayMs`. Milliseconds. */
  readonly floorMs: number
  /** Whether any attempt of this stream has been good yet. */
  readonly wasGood: boolean
  /** Whether credentials could be renewed by `authorize`, and those in use were not given in answer to a refusal. */
  readonly canRenew: boolean
}

/** When to try again, or that it is no use. */
export type RetryDecision =
  /** `soonestMs`: the part of the delay that is not cut short when the network comes back or the page is looked at. */
  { readonly delayMs: number; readonly soonestMs: number } | { readonly giveUp: string }

/** Decides after each failed attempt. Pure but for chance; delays are more than 0, at most 2^31 - 1. */
export type RetryPolicy = (error: ClientError, state: RetryState) => RetryDecision

export interface RetryOptions {
  /** The most that back-off adds to the server's own reconnection time. Milliseconds. @default 30000 */
  readonly maxBackoffMs: number
  /** Attempts that may fail one after the other; false for any number. @default false */
  readonly maxAttempts: number | false
  /**
   * How long there may be no connection, up to the next attempt; false for any time. One attempt is made after each good
   * connection, however long that has to wait. Milliseconds.
   *
   * @default false
   */
  readonly giveUpAfterMs: number | false
}

/** No two requests follow each other sooner than this, whatever a server asks for. Milliseconds. */
export const LEAST_DELAY_MS = 100
const FIRST_BACKOFF_MS = 1_000

/**
 * The delay is a floor and chance on top: the floor is the server's `retry:`, or its `Retry-After` for this once; chance
 * is up to a tenth of the floor after a good connection, and up to 1, 2, 4, … seconds when attempts have failed.
 *
 * Network errors, 408, 425, 429 and all of 5xx pass; any other status is an answer, and ends the stream. A 401 is tried
 * once more when there are credentials to renew, and soon when
 * nothing else has failed before. A response that is no event stream ends it too, unless the stream has
 * been good before: then it is the page of a captive portal.
 */
export function retryPolicy(
  { maxBackoffMs, maxAttempts, giveUpAfterMs }: RetryOptions,
  fraction: () => number,
): RetryPolicy {
  return (error, state) => {
    const { failures, failingMs } = state
    if (isFinal(error, state)) return { giveUp: 'it will not mend by itself' }
    if (maxAttempts !== false && failures >= maxAttempts) return { giveUp: `${failures} attempts failed` }
    const isQuick = error.code === 'held_back' || (needsRenewal(error) && failures < 2)
    const soonestMs = Math.max(LEAST_DELAY_MS, isQuick ? 0 : state.floorMs, error.retryAfterMs ?? 0)
    const backoffMs = failures > 0 ? Math.min(maxBackoffMs, FIRST_BACKOFF_MS * 2 ** (failures - 1)) : soonestMs / 10
    const delayMs = Math.min(MAX_DELAY_MS, soonestMs + fraction() * (isQuick ? LEAST_DELAY_MS : backoffMs))
    const lostMs = failingMs + delayMs
    if (giveUpAfterMs !== false && failures > 0 && lostMs > giveUpAfterMs) {
      return { giveUp: `no connection for ${Math.round(lostMs)} ms by the next attempt` }
    }
    return { delayMs, soonestMs: Math.min(delayMs, soonestMs) }
  }
}

/** The credentials were refused. */
export function needsRenewal({ code, status }: ClientError): boolean {
  return code === 'unauthorized' || status === 401
}

function isFinal(error: ClientError, { canRenew, wasGood }: RetryState): boolean {
  const { code, status = 0 } = error
  if (needsRenewal(error)) return !canRenew
  if (code === 'content_type') return !wasGood
  return code === 'status' && status < 500 && ![408, 425, 429].includes(status)
}
