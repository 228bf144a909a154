import { ClientError, type ClientErrorCode } from '../client-error.ts'
import type { AttemptEnd } from '../attempt/read-event-stream.ts'
import { retryAfterMs } from './retry-after.ts'

/** What the end of an attempt is for whoever waits for events. */
export function errorOf(end: AttemptEnd, timeMs: number): ClientError {
  switch (end.kind) {
    case 'status':
      return statusError(end, timeMs)
    case 'content_type':
      return new ClientError('content_type', `The server answered with ${end.contentType}: is the URL right?`)
    case 'unreadable':
      return caused('unreadable', 'The stream cannot be read', end.error)
    case 'network':
      return networkError(end.error)
    case 'ended':
    case 'aborted':
      return new ClientError('ended', 'The response has ended.')
  }
}

/** An error that says what another one was about, and has it as its cause. */
export function caused(code: ClientErrorCode, what: string, cause: unknown): ClientError {
  return new ClientError(code, `${what}: ${String(cause)}`, { cause })
}

export function networkError(cause: unknown): ClientError {
  return caused('network', 'The connection failed', cause)
}

/** A page asks another origin, which has never answered: browsers do not say whether it refuses or is away. */
export function foreignError({ code, message, cause }: ClientError): ClientError {
  return new ClientError(code, `${message}. Does the server allow pages of this origin (CORS)?`, { cause })
}

export function authorizeError(cause: unknown): ClientError {
  return caused('authorize', 'authorize has failed', cause)
}

export function statusError({ status, headers }: { status: number; headers: Headers }, timeMs: number): ClientError {
  const message = `The server answered ${status}.`
  return new ClientError('status', message, { status, retryAfterMs: retryAfterMs(headers, timeMs) })
}
