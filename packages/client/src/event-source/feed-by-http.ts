import {
  readEventStream,
  type AttemptEnd,
  type AttemptHandlers,
  type EventStreamRequest,
} from '../attempt/read-event-stream.ts'
import { MAX_DELAY_MS, type Clock } from '../clock.ts'
import { throwUncaught } from '../stream/throw-uncaught.ts'
import type { Backoff } from './backoff.ts'
import type { Feed } from './feed.ts'

/** Stands for a stream that the user has got by other means: there is no way back to it. */
export const STREAM_URL = 'about:event-stream'

/** What does not change from attempt to attempt; `signal` ends everything, and leaves nothing behind. */
export type FeedRequest = Omit<EventStreamRequest, 'lastEventId'>

/** However short the stream's `retry` is: no server can make its clients ask without a pause. Milliseconds. */
const MIN_DELAY_MS = 100

/** Asks for a stream by HTTP, and again when it is lost (HTML Standard §9.2.3), until it is closed or refused. */
export function feedByHttp(request: FeedRequest, backoff: Backoff | undefined, feed: Feed, clock: Clock): void {
  const { url, signal } = request
  let failureCount = 0
  let cancelWait = (): void => {}

  const attempt = async (): Promise<void> => {
    let openedMs = Infinity
    const handlers: AttemptHandlers = {
      ...feed,
      onOpen(response, reset) {
        openedMs = clock.now()
        feed.onOpen(response, reset)
      },
    }
    const end = await readEventStream({ ...request, lastEventId: feed.lastEventId }, handlers)
    if (signal.aborted) return
    const reconnectionTimeMs = Math.max(MIN_DELAY_MS, feed.reconnectionTimeMs)
    if (clock.now() - openedMs >= reconnectionTimeMs) failureCount = 0
    const facts = { end, isFinal: isFinal(end, url), failureCount: failureCount++, reconnectionTimeMs }
    let delayMs: number | false = !facts.isFinal && 0
    try {
      if (backoff) delayMs = backoff(facts)
    } catch (error) {
      throwUncaught(error)
    }
    feed.onEnd(end, delayMs === false)
    // Whoever heard of it may have closed.
    if (signal.aborted) return
    const waitMs = Math.max(reconnectionTimeMs, +delayMs || 0)
    cancelWait = clock.after(Math.min(waitMs, MAX_DELAY_MS), () => void attempt())
  }

  void attempt()
  signal.addEventListener('abort', () => cancelWait())
}

function isFinal(end: AttemptEnd, url: string): boolean {
  if (end.kind === 'ended') return url === STREAM_URL
  // Somebody else aborted the request, the user who leaves the page for instance; or there is nothing to come back to.
  return end.kind !== 'network' || (end.error as Error | undefined)?.name === 'AbortError' || !url.startsWith('http')
}
