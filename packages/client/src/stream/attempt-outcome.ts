import { ClientError } from '../client-error.ts'
import { MAX_DELAY_MS } from '../clock.ts'
import { sentence } from './attempt-error.ts'
import { LEAST_DELAY_MS } from './retry-policy.ts'
import type { TransportVerdict } from './transport-choice.ts'

/**
 * What comes after an attempt: nothing more, for the server says so (`finished`); another one at once (`restart`); a stream,
 * for the server does not answer polls (`no_polling`); the next poll after so many milliseconds; or what an error asks for.
 */
export type Outcome = 'finished' | 'restart' | 'no_polling' | number | ClientError

/**
 * What an attempt says about its transport.
 *
 * @param isGood it has done what it is for
 * @param isFlowing bytes have come after those that come at once
 * @param isPassable it was cut off after its first bytes, and not too often
 * @param isFirst no attempt has been good yet
 */
export function verdictOf(
  outcome: Outcome,
  isGood: boolean,
  isFlowing: boolean,
  isPassable: boolean,
  isFirst: boolean,
): TransportVerdict {
  if (typeof outcome === 'number') return 'good'
  if (outcome === 'no_polling') return outcome
  if (!(outcome instanceof ClientError)) return 'neutral'
  const { code, status } = outcome
  // Firefox shows the head of a response with its first bytes: there, what is held back has not been answered.
  if (code === 'held_back' || (code === 'timeout' && isFirst)) return 'held_back'
  if (code === 'silent' ? isFlowing : isGood) return 'good'
  // What was cut off after its first bytes has shown that bytes get through.
  if (code === 'network' && isPassable) return 'neutral'
  return status === undefined && code !== 'ended' && code !== 'authorize' ? 'bad' : 'neutral'
}

/** A policy may be the user's own, and wrong. */
export function waitable(delayMs: number): number {
  return delayMs > LEAST_DELAY_MS ? Math.min(Math.ceil(delayMs), MAX_DELAY_MS) : LEAST_DELAY_MS
}

export function gaveUp(error: ClientError, why: string): ClientError {
  const { code, message, ...facts } = error
  return new ClientError(code, `${sentence(message)} Given up: ${why}.`, { ...facts, cause: error })
}

export function closedError(): ClientError {
  return new ClientError('closed', 'The stream is closed.')
}
