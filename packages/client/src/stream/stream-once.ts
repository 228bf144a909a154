import type { ParsedEvent } from '@millrace/protocol'
import { readEventStream, type AttemptEnd, type EventStreamRequest } from '../attempt/read-event-stream.ts'
import { ClientError } from '../client-error.ts'
import type { FeedSink } from './event-feed.ts'
import type { FeedAttempt } from './feed-attempt.ts'
import type { FeedSettings } from './feed-settings.ts'
import { Watchdog } from './watchdog.ts'

/** What one stream needs of its feed. */
export interface StreamHost {
  readonly settings: FeedSettings
  readonly sink: FeedSink
  /** The longest silence that the server means to keep. Milliseconds; false when it has promised nothing. */
  readonly promisedMs: number | false
  /** How long it may be silent before the connection is taken for dead. Milliseconds, or false. */
  readonly silenceMs: number | false
  /** Whether something else can be tried when a stream is held back. */
  readonly canFallBack: boolean
  /** The response has begun. True when it is a hub's: its first byte is due at once. */
  onHead(headers: Headers): boolean
  /** Events can come. */
  onFlow(): void
  onRetry(retryMs: number): void
  onEvent(event: ParsedEvent): void
}

/** A stream that was open for this long has done its work, whether there were events or not. Milliseconds. */
const GOOD_AFTER_MS = 5_000
/** What comes later than this after the head was not sent with it. Milliseconds. */
const FLOWING_AFTER_MS = 1_000

/** Reads one stream to its end. */
export async function streamOnce(
  host: StreamHost,
  attempt: FeedAttempt,
  request: Omit<EventStreamRequest, 'lastEventId' | 'signal' | 'limits'>,
): Promise<AttemptEnd> {
  const { sink, settings } = host
  const { clock, limits, streamTimeoutMs } = settings
  const { signal } = attempt
  let id = sink.resumeId()
  let openedAtMs = Infinity
  let silenceMs: number | false = false
  const watchdog = new Watchdog(
    clock,
    () => attempt.stop(new ClientError('silent', `No byte has come for ${host.promisedMs} ms and more.`)),
    settings.time,
  )
  attempt.onDoubt = () => watchdog.doubt(host.promisedMs || 0)
  const watch = (limitMs: number | false): void => {
    silenceMs = limitMs
    watchdog.watch(limitMs)
  }
  const flow = (): void => {
    attempt.limit(false)
    host.onFlow()
  }
  let isFirst = true
  const end = await readEventStream(
    { ...request, lastEventId: id, signal, limits },
    {
      onOpen({ headers }) {
        openedAtMs = clock.now()
        if (!host.onHead(headers)) flow()
        else if (host.canFallBack) {
          attempt.limit(streamTimeoutMs, 'held_back', `No byte of the stream has come within ${streamTimeoutMs} ms.`)
        }
      },
      onBytes() {
        if (isFirst) flow()
        isFirst = false
        if (clock.now() - openedAtMs >= FLOWING_AFTER_MS) attempt.isFlowing = true
        watchdog.hear()
      },
      onRetry: (retryMs) => host.onRetry(retryMs),
      onId: (newId) => void (id = newId),
      onEvent: (event) => host.onEvent(event),
      beforeRead() {
        sink.moved(id)
        if (silenceMs !== host.silenceMs) watch(host.silenceMs)
        const pause = sink.ready()
        if (!pause) return undefined
        // What is not read cannot be heard.
        watch(false)
        return pause
      },
    },
  )
  watchdog.watch(false)
  if (clock.now() - openedAtMs >= GOOD_AFTER_MS) attempt.isGood = true
  return end
}
