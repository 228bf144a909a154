import { ClientError } from '../client-error.ts'
import { MAX_DELAY_MS } from '../clock.ts'
import type { FeedAttempt } from './feed-attempt.ts'
import { LEAST_DELAY_MS } from './retry-policy.ts'
import type { TransportVerdict } from './transport-choice.ts'

/** What comes after an attempt. */
export type Outcome =
  | { readonly error: ClientError }
  | { readonly delayMs: number; readonly verdict: TransportVerdict }
  | 'finished'

/** What comes after an attempt that was ended from here. */
export function stopped({ cause }: FeedAttempt): Outcome | undefined {
  if (cause === 'restart') return { delayMs: LEAST_DELAY_MS, verdict: 'neutral' }
  return cause && { error: cause }
}

/** What a failure says about the transport. */
export function verdictOf({ code, status }: ClientError, { isGood, isFlowing }: FeedAttempt): TransportVerdict {
  if (code === 'held_back') return code
  if (code === 'silent' ? isFlowing : isGood) return 'good'
  return status === undefined && code !== 'ended' && code !== 'authorize' ? 'bad' : 'neutral'
}

/** A policy may be the user's own, and wrong. */
export function waitable(delayMs: number): number {
  return delayMs > LEAST_DELAY_MS ? Math.min(Math.ceil(delayMs), MAX_DELAY_MS) : LEAST_DELAY_MS
}

export function gaveUp(error: ClientError, why: string): ClientError {
  const { code, message, status, retryAfterMs } = error
  return new ClientError(code, `${message} Given up: ${why}.`, { status, retryAfterMs, cause: error })
}

export function closedError(): ClientError {
  return new ClientError('closed', 'The stream is closed.')
}
