import { ClientError } from '@millrace/client'
import { refusalText, unreachable } from './hub-address.ts'

/** How long one answer may take. */
const TIMEOUT_MS = 30_000
const MAX_RETRY_AFTER_SECONDS = 3_600
/** Codes, and the words of the Fetch Standard, of what has not reached a hub for sure. */
const UNREACHED = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'bad port',
]

/** Why a request that publishes was not answered as it should be. */
export interface PostFailure {
  /** For a person, and for a retry policy. */
  readonly error: ClientError
  /** Nothing of it has reached a hub; otherwise it may have, and be stored, unless `isRefused`. */
  readonly isUnreached: boolean
  /** A hub, or what stands before it, has said that it is not taken. */
  readonly isRefused: boolean
}

/** Whether something of a request may be stored that has failed so. */
export function isInDoubt({ isUnreached, isRefused }: PostFailure): boolean {
  return !isUnreached && !isRefused
}

/** Whether the hub has looked at what it refuses, so that nothing of it is stored, whatever became of attempts before. */
export function settlesDoubt({ isRefused, error }: PostFailure): boolean {
  return isRefused && error.status !== 429
}

/** The text that a hub has answered with 200, or why there is none. Does not throw. */
export async function postEvents(url: URL, type: string, body: string): Promise<string | PostFailure> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const headers = { 'Content-Type': type }
  try {
    // A redirection is an answer too: of what is no hub.
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal })
    const text = await response.text()
    return response.status === 200 ? text : refused(response, text)
  } catch (cause) {
    return unanswered(url, signal.aborted, cause)
  }
}

function refused(response: Response, text: string): PostFailure {
  const { status, headers } = response
  const retryAfterMs = retryAfterOf(headers.get('retry-after'))
  return {
    error: new ClientError('status', refusalText(response, text), { status, retryAfterMs }),
    isUnreached: false,
    // A proxy that gives up, or a log that is away, knows nothing of what was stored.
    isRefused: status < 500 && status !== 408,
  }
}

function unanswered(url: URL, isLate: boolean, cause: unknown): PostFailure {
  const message = isLate ? `${url.origin} has not answered within ${TIMEOUT_MS} ms.` : unreachable(url, cause)
  const { code, message: words } = (cause instanceof Error ? (cause.cause ?? {}) : {}) as NodeJS.ErrnoException
  return {
    error: new ClientError(isLate ? 'timeout' : 'network', message, { cause }),
    isUnreached: UNREACHED.includes(code ?? words),
    isRefused: false,
  }
}

/** In milliseconds, from seconds. */
function retryAfterOf(text: string | null): number | undefined {
  if (text === null || !/^\d+$/.test(text)) return undefined
  return Math.min(Number(text), MAX_RETRY_AFTER_SECONDS) * 1000
}

/** An answer that is whole by its length, and breaks off in the middle. */
export function brokenOff(url: URL): PostFailure {
  return {
    error: new ClientError('network', `The answer of ${url.origin} broke off.`),
    isUnreached: false,
    isRefused: false,
  }
}

/** What has answered is something else. */
export function noHub(url: URL): PostFailure {
  const message = `${url.href} did not answer as a hub does. Is --url that of a hub?`
  return { error: new ClientError('content_type', message), isUnreached: false, isRefused: false }
}
