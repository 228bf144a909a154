import { readEventStream, type AttemptEnd, type EventStreamRequest } from '../attempt/read-event-stream.ts'
import type { Clock } from '../clock.ts'
import { reconnectDelayMs, type Backoff } from './backoff.ts'
import type { Feed } from './feed.ts'

/** Stands for a stream that the user has got by other means: there is no way back to it. */
export const STREAM_URL = 'about:event-stream'

/** What does not change from attempt to attempt; `signal` ends everything, and leaves nothing behind. */
export type FeedRequest = Omit<EventStreamRequest, 'lastEventId'>

/**
 * Asks for a stream by HTTP, and again when it is lost (HTML Standard §9.2.3), until it is closed or refused.
 *
 * @param chance gives numbers from 0 to 1.
 */
export function feedByHttp(
  request: FeedRequest,
  backoff: Backoff | undefined,
  feed: Feed,
  clock: Clock,
  chance: () => number,
): void {
  const { signal } = request
  let failureCount = 0
  let cancelWait = (): void => {}

  const attempt = async (): Promise<void> => {
    let openedMs = Infinity
    const { lastEventId, onOpen } = feed
    const end = await readEventStream(
      { ...request, lastEventId },
      {
        ...feed,
        onOpen(...opened) {
          openedMs = clock.now()
          onOpen(...opened)
        },
      },
    )
    // It may have been closed since the attempt has ended, and by whoever hears of it.
    const isOver = isFinal(end, request.url, backoff)
    if (!signal.aborted) feed.onEnd(end, isOver)
    if (isOver || signal.aborted) return
    // A stream that held for as long as a wait takes was a good one.
    if (clock.now() - openedMs >= feed.reconnectionTimeMs) failureCount = 0
    const delayMs = reconnectDelayMs(feed.reconnectionTimeMs, failureCount++, backoff, chance())
    cancelWait = clock.after(delayMs, () => void attempt())
  }

  void attempt()
  signal.addEventListener('abort', () => cancelWait())
}

function isFinal(end: AttemptEnd, url: string, backoff: Backoff | undefined): boolean {
  if (end.kind === 'status') return !backoff?.retryStatuses?.includes(end.status)
  if (end.kind === 'ended') return url === STREAM_URL
  // Somebody else aborted the request, the user who leaves the page for instance; or there is nothing to come back to.
  return end.kind !== 'network' || (end.error as Error | undefined)?.name === 'AbortError' || !url.startsWith('http')
}
