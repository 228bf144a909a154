import { ClientError, type ClientErrorCode } from '../client-error.ts'
import type { AttemptEnd } from '../attempt/read-event-stream.ts'
import type { Clock } from '../clock.ts'
import { problemDetail } from './problem-detail.ts'
import { retryAfterMs } from './retry-after.ts'

/** What the end of an attempt is for whoever waits for events. */
export function errorOf(end: Exclude<AttemptEnd, { kind: 'status' }>): ClientError {
  const { kind } = end
  if (kind === 'network') return networkError(end.error)
  if (kind === 'unreadable') return caused(kind, 'The stream cannot be read', end.error)
  if (kind !== 'content_type') return new ClientError('ended', 'The response has ended.')
  return new ClientError(kind, `The server answered with ${end.contentType || 'no Content-Type'}: is the URL right?`)
}

/** An error that says what another one was about, and has it as its cause. */
export function caused(code: ClientErrorCode, what: string, cause: unknown, why: unknown = cause): ClientError {
  return new ClientError(code, `${what}: ${String(why)}`, { cause })
}

/** On Node the error of `fetch` only says that it failed, and why is the code of its cause. */
export function networkError(cause: unknown): ClientError {
  const { cause: reason } = Object(cause) as { cause?: { code?: string } }
  return caused('network', 'The connection failed', cause, reason?.code)
}

/** A page asks another origin, which has never answered: browsers do not say whether it refuses or is away. */
export function foreignError({ code, message, cause }: ClientError): ClientError {
  return new ClientError(code, `${sentence(message)} Does the server allow pages of this origin (CORS)?`, { cause })
}

/** With an end, wherever the words come from. */
export function sentence(message: string): string {
  return message.replace(/[^.?]$/, '$&.')
}

export function authorizeError(cause: unknown): ClientError {
  return caused('authorize', 'authorize has failed', cause)
}

/** A refusal, with what the server says about it. Its body is read, or dropped. */
export async function statusError(
  response: Response,
  clock: Clock,
  signal: AbortSignal,
  timeMs: number,
): Promise<ClientError> {
  const { status, headers } = response
  const detail = await problemDetail(response, clock, signal)
  const message = `The server answered ${status}${detail ? `: ${detail}` : '.'}`
  return new ClientError('status', message, { status, retryAfterMs: retryAfterMs(headers, timeMs) })
}
