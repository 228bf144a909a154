import type { ParsedEvent } from '@millrace/protocol'
import { ClientError } from '../client-error.ts'
import { networkError } from './attempt-error.ts'
import type { FeedAttempt } from './feed-attempt.ts'
import { drop, send, type Target } from './feed-request.ts'

/** What a poll is answered with (API: `Accept: application/json`). */
export interface PollAnswer {
  readonly events: readonly PolledEvent[]
  /** The id to ask on from. */
  readonly cursor: string
  /** What `stream:sync-required` says on a stream. */
  readonly reset?: Readonly<Record<string, unknown>> | null
}

export interface PolledEvent {
  readonly id?: string | null
  readonly topic?: string
  readonly type?: string
  readonly data?: unknown
  /** The topic is finished after this event. */
  readonly end?: boolean
}

/** Statuses that say nothing about whether polls are understood. */
const NEUTRAL = [401, 403, 408, 425, 429]

/**
 * Asks once for events. Undefined when the server says that nothing more will come.
 *
 * @param refusal reads a response whose status is no success
 * @throws ClientError what the server has answered instead, or that it has not
 */
export async function pollOnce(
  attempt: FeedAttempt,
  target: Target,
  refusal: (response: Response) => Promise<ClientError>,
): Promise<PollAnswer | undefined> {
  const response = await attempt.until(send(target, attempt.signal)).catch(lost)
  const { status, headers } = response
  if (status === 204) return undefined
  if (status !== 200) throw await refusal(response)
  if (!headers.get('content-type')?.includes('json')) {
    drop(response)
    throw new ClientError('content_type', 'The answer to a poll is not JSON.')
  }
  const answer = (await attempt.until<unknown>(response.json()).catch(lost)) as Partial<PollAnswer> | null
  const { events, cursor } = answer ?? {}
  if (Array.isArray(events) && events.every(isEvent) && typeof cursor === 'string') return answer as PollAnswer
  throw new ClientError('unreadable', 'The answer to a poll has no events and cursor that can be read.')
}

function isEvent(event: unknown): boolean {
  if (typeof event !== 'object' || event === null) return false
  const { id, topic, type } = event as Record<string, unknown>
  return [id, topic, type].every((text) => typeof (text ?? '') === 'string')
}

function lost(cause: unknown): never {
  throw networkError(cause)
}

/** Whether the answer to a poll is one of a server that knows none. @param before the failure before it */
export function isNoPolling({ code, status = 0 }: ClientError, before: ClientError | undefined): boolean {
  // What answers streams by pages too is no such server, but in front of it: a captive portal.
  if (code === 'content_type') return before?.code !== code
  if (code === 'unreadable' || status === 501) return true
  return status >= 400 && status < 500 && !NEUTRAL.includes(status)
}

/** An event of an answer, as it would have come on a stream. @param lastId the id before it */
export function polledEvent({ id, type, topic, data }: PolledEvent, lastId: string): ParsedEvent {
  return {
    type: type || 'message',
    data: typeof data === 'string' ? data : JSON.stringify(data ?? null),
    topic: topic ?? '',
    lastEventId: id || lastId,
  }
}
