import type { ParsedEvent } from '@millrace/protocol'
import type { EventStreamRequest } from '../attempt/read-event-stream.ts'
import { networkError, statusError } from './attempt-error.ts'
import { ClientError } from '../client-error.ts'
import type { FeedAttempt } from './feed-attempt.ts'

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
  readonly data: unknown
  /** The topic is finished after this event. */
  readonly end?: boolean
}

export type PollEnd = PollAnswer | ClientError | 'finished' | 'no_polling'

/** Statuses that say nothing about whether polls are understood. */
const NEUTRAL = [401, 403, 408, 425, 429]

/** Asks once for events. Rejects when the attempt was ended from here. */
export async function pollOnce(
  attempt: FeedAttempt,
  { url, fetch, headers, credentials = 'same-origin' }: Omit<EventStreamRequest, 'lastEventId' | 'signal'>,
  isKnown: boolean | undefined,
  timeMs: number,
): Promise<PollEnd> {
  const { signal } = attempt
  try {
    const init = { headers: Object.fromEntries(new Headers(headers)), credentials, cache: 'no-store', signal } as const
    const response = await attempt.until(fetch(url, init))
    const { status } = response
    if (status !== 200) {
      drop(response)
      if (status === 204) return 'finished'
      const isUnknown = (status >= 400 && status < 500 && !NEUTRAL.includes(status)) || status === 501
      return isUnknown && !isKnown ? 'no_polling' : statusError(response, timeMs)
    }
    if (!response.headers.get('content-type')?.includes('json')) {
      drop(response)
      return isKnown ? new ClientError('content_type', 'The answer to a poll is not JSON.') : 'no_polling'
    }
    const answer = (await attempt.until(response.json())) as Partial<PollAnswer> | null
    if (Array.isArray(answer?.events) && typeof answer.cursor === 'string') return answer as PollAnswer
    return isKnown ? new ClientError('unreadable', 'The answer to a poll has no events and cursor.') : 'no_polling'
  } catch (error) {
    if (signal.aborted) throw error
    return networkError(error)
  }
}

/** An event of an answer, as it would have come on a stream. @param lastId the id before it */
export function polledEvent({ id, type, topic, data }: PolledEvent, lastId: string): ParsedEvent {
  return {
    type: type || 'message',
    data: typeof data === 'string' ? data : JSON.stringify(data),
    topic,
    lastEventId: id || lastId,
  }
}

/** Lets the connection go. */
function drop({ body }: Response): void {
  body?.cancel().catch(() => {})
}
