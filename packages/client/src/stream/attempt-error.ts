import { ClientError } from '../client-error.ts'
import type { AttemptEnd } from '../attempt/read-event-stream.ts'
import { retryAfterMs } from './retry-after.ts'

/** What the end of an attempt is for whoever waits for events. */
export function errorOf(end: AttemptEnd, timeMs: number): ClientError {
  switch (end.kind) {
    case 'ended':
      return new ClientError('ended', 'The response has ended.')
    case 'aborted':
      return new ClientError('closed', 'The stream is closed.')
    case 'network':
      return networkError(end.error)
    case 'status':
      return statusError(end, timeMs)
    case 'content_type':
      return new ClientError('content_type', `The server answered with ${end.contentType}: is the URL right?`)
    case 'unreadable':
      return new ClientError('unreadable', `The stream cannot be read: ${String(end.error)}`, { cause: end.error })
  }
}

export function networkError(cause: unknown): ClientError {
  return new ClientError('network', `The connection failed: ${String(cause)}`, { cause })
}

export function statusError({ status, headers }: { status: number; headers: Headers }, timeMs: number): ClientError {
  const message = `The server answered ${status}.`
  return new ClientError('status', message, { status, retryAfterMs: retryAfterMs(headers, timeMs) })
}
