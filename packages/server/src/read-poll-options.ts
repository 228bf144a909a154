import { HubError } from './hub-error.ts'
import type { PollOptions } from './poll.ts'

const DEFAULT_WAIT_SECONDS = 25
const MAX_WAIT_SECONDS = 60

/**
 * What only a poll is asked.
 *
 * @throws HubError `invalid_request`
 */
export function readPollOptions(parameters: URLSearchParams, signal: AbortSignal): PollOptions {
  const state = parameters.get('state')
  if (state !== null && state !== 'all') throw invalid('state', state, 'use "all", or leave it out')
  return { waitMs: readWait(parameters.get('wait')) * 1000, wantsAllValues: state === 'all', signal }
}

function readWait(text: string | null): number {
  if (text === null) return DEFAULT_WAIT_SECONDS
  const seconds = /^\d{1,2}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Infinity
  if (seconds <= MAX_WAIT_SECONDS) return seconds
  throw invalid('wait', text, `it must be a number of seconds from 0 to ${MAX_WAIT_SECONDS}`)
}

function invalid(name: string, value: string, mend: string): HubError {
  return new HubError('invalid_request', `"${name}" is ${JSON.stringify(value.slice(0, 64))}; ${mend}.`)
}
