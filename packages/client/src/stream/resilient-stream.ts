import { ClientError, type ClientErrorCode } from '../client-error.ts'
import { caused } from './attempt-error.ts'
import { debugLogger } from './debug-log.ts'
import { makeDelivery, type DeliveredEvent } from './delivery.ts'
import type { EventFeed, FeedEvent, FeedSink, FeedStatus, MissedNotice } from './event-feed.ts'
import type { HandlerArgument, HandlerType, StreamEvent } from './event-map.ts'
import type { EventStream } from './event-stream.ts'
import type { FeedSettings } from './feed-settings.ts'
import { makeIdStore, type IdStore } from './id-store.ts'
import { onPageSignals } from './page-signals.ts'
import { parseJson } from './parse-json.ts'
import { makePause } from './pause.ts'
import type { RetryDecision, RetryPolicy } from './retry-policy.ts'
import type { StreamSettings } from './stream-options.ts'
import { isFinal, type StreamStatus } from './stream-status.ts'
import { throwUncaught } from './throw-uncaught.ts'

type Handler = (event: never) => unknown

const SYNC_REQUIRED = 'stream:sync-required'

/** The most that is waited before `onSync` is called again. Milliseconds. */
const MAX_SYNC_DELAY_MS = 30_000
const FIRST_SYNC_DELAY_MS = 1_000

/**
 * A stream over any feed: handlers and readers, the status, the gate of missed events, and the id that is kept.
 *
 * What the user gives may throw, or call `close()`: it stops nothing else, and after `close()` nothing of it is called but for
 * the status that says so.
 */
export function resilientStream<Events extends object>(
  settings: StreamSettings,
  makeFeed: (settings: FeedSettings, sink: FeedSink) => EventFeed,
): EventStream<Events> {
  const { clock, url, maxQueueCount, persist, signal, parse, onSync } = settings
  const log = debugLogger(settings.debug)
  const pause = makePause(clock)
  const closing = new AbortController()
  const handlers = new Map<string, Set<Handler>>()
  const listeners = new Set<(status: StreamStatus) => void>()
  let feedStatus: FeedStatus = { name: 'connecting', attempt: 1 }
  let syncing: StreamStatus | undefined
  let status: StreamStatus = feedStatus
  let eventCount = 0
  let missedCount = 0

  let store: IdStore | undefined
  if (persist) {
    const { key = `millrace:${url}?${settings.topics.join()}`, storage } = persist === true ? {} : persist
    store = makeIdStore(clock, { key, storage }, (cause) => void fail('storage', 'The last id cannot be kept', cause))
  }
  let lastId = settings.lastId ?? store?.read() ?? ''

  const delivery = makeDelivery(
    {
      maxQueueCount,
      handle,
      sync,
      keep(id) {
        lastId = id
        store?.keep(id)
        // After the end nobody writes it when the page goes away.
        if (isFinal(feedStatus)) store?.write()
      },
      attend,
      rest: () => signal?.removeEventListener('abort', close),
    },
    lastId,
  )
  const feed = makeFeed(
    { ...settings, policy },
    {
      resumeId: delivery.receivedId,
      event(event) {
        eventCount++
        if (log) note(`event ${event.type} ${event.topic} ${event.id}`)
        delivery.push({ event: parsed(event), id: event.id })
      },
      moved(id) {
        if (id !== delivery.receivedId()) delivery.push({ id })
      },
      missed: (missed, id) => delivery.push({ missed, id }),
      ready: delivery.ready,
      attempt(attempt) {
        note(`attempt ${attempt.attempt} by ${attempt.transport} from ${attempt.lastId || 'the start'}`)
        call(settings.onAttempt, attempt)
      },
      status: follow,
    },
  )

  /** Heeds the signal, also when it was aborted while nobody listened to it. */
  function attend(): void {
    signal?.addEventListener('abort', close)
    if (signal?.aborted) close()
  }

  function close(): void {
    closing.abort()
    pause.end()
    // Also of a feed that has ended by itself, while events still wait for readers.
    delivery.close()
    feed.close()
  }

  function follow(now: FeedStatus): void {
    feedStatus = now
    const error = 'error' in now ? now.error : undefined
    if (error) report(error)
    if (isFinal(now)) {
      delivery.finish(error)
      stopSignals()
      store?.write()
    }
    show()
  }

  /** What is shown follows from what the feed says, and whether the state is being fetched anew. */
  function show(): void {
    const now = isFinal(feedStatus) ? feedStatus : (syncing ?? feedStatus)
    if (now === status) return
    status = now
    note(`status ${now.name}`)
    // One of them may have closed the stream, and all were told of that.
    tell(listeners, now, () => status === now)
  }

  function parsed({ type, data: text, topic, id }: FeedEvent): DeliveredEvent {
    let data: unknown = text
    try {
      data = parse && !type.startsWith('stream:') ? parse(text, type) : parseJson(text)
    } catch (cause) {
      fail('handler', 'parse has thrown', cause)
    }
    return { type, topic, id, data }
  }

  function handle(event: DeliveredEvent): void {
    const { type } = event
    for (const name of new Set(type.startsWith('stream:') ? [type] : [type, '*'])) {
      tell(handlers.get(name), event as never, () => !isClosed())
    }
  }

  /** Calls those that were there from the start, and have not been taken off by one before them. */
  function tell<T>(all: ReadonlySet<(value: T) => unknown> = new Set(), value: T, isDue: () => boolean): void {
    for (const listener of [...all]) if (all.has(listener) && isDue()) call(listener, value)
  }

  function call<T>(listener: ((value: T) => unknown) | undefined, value: T): void {
    const blame = (cause: unknown): unknown => fail('handler', 'A handler has thrown', cause)
    try {
      const done = listener?.(value)
      if (done instanceof Promise) done.catch(blame)
    } catch (cause) {
      blame(cause)
    }
  }

  /** The user's own, where it decides anything. */
  function policy(...facts: Parameters<RetryPolicy>): RetryDecision {
    try {
      const decision = settings.retryPolicy?.(...facts)
      if (decision && ('giveUp' in decision || decision.delayMs >= 0)) return decision
      if (settings.retryPolicy) throw new TypeError('neither a delay nor giveUp')
    } catch (cause) {
      fail('handler', 'retryPolicy has thrown', cause)
    }
    return settings.policy(...facts)
  }

  function isClosed(): boolean {
    return closing.signal.aborted
  }

  async function sync(notice: MissedNotice): Promise<void> {
    const { reason } = notice
    missedCount++
    if (onSync) {
      let error: ClientError | undefined
      for (let attempt = 1; !isClosed(); attempt++) {
        syncing = { name: 'syncing', reason, attempt, error }
        show()
        if (isClosed()) break
        try {
          await onSync(reason, { ...notice, signal: closing.signal })
          break
        } catch (cause) {
          error = fail('sync', 'onSync has failed', cause)
          const delayMs = Math.min(MAX_SYNC_DELAY_MS, FIRST_SYNC_DELAY_MS * 2 ** (attempt - 1))
          if (!isClosed()) await pause.wait(delayMs * (1 + settings.fraction()), delayMs)
        }
      }
      syncing = undefined
      show()
    } else if (!handlers.get(SYNC_REQUIRED)?.size) {
      report(new ClientError('missed', `Events were missed (${reason}): give onSync, to fetch the state anew.`))
    }
    handle({ type: SYNC_REQUIRED, data: notice, topic: '', id: notice.from })
  }

  function fail(code: ClientErrorCode, what: string, cause: unknown): ClientError {
    const error = caused(code, what, cause)
    report(error)
    return error
  }

  function report(error: ClientError): void {
    const { code, message, cause } = error
    note(`error ${code} ${message}`)
    const onError = isClosed() ? undefined : settings.onError
    try {
      // The last two are mended by nobody else.
      if (onError) onError(error)
      else if (code === 'handler' || code === 'missed') throw cause instanceof Error ? cause : error
    } catch (uncaught) {
      throwUncaught(uncaught)
    }
  }

  function note(text: string): void {
    log?.(`[millrace ${new Date(settings.time()).toISOString()}] ${text}`)
  }

  const stopSignals = onPageSignals(
    globalThis,
    () => feed.wake(),
    () => store?.write(),
  )
  const self: EventStream<Events> = {
    get status() {
      return status
    },
    get topics() {
      return feed.diagnostics().topics
    },
    get lastId() {
      return lastId
    },
    on<T extends HandlerType<Events>>(type: T, handler: (event: HandlerArgument<Events, T>) => void) {
      const all = handlers.get(type) ?? new Set()
      handlers.set(type, all)
      delivery.start()
      return addTo<Handler>(all, handler)
    },
    onStatus: (listener) => addTo(listeners, listener),
    setTopics(topics, { from } = {}) {
      const done = feed.setTopics([...new Set(topics)], from)
      // Whoever does not look at the promise is not troubled by its rejection.
      done.catch(() => {})
      return done
    },
    addTopics: (topics, options) => self.setTopics([...self.topics, ...topics], options),
    removeTopics: (topics) => self.setTopics(self.topics.filter((topic) => !topics.includes(topic))),
    diagnostics: () => ({
      ...feed.diagnostics(),
      status,
      lastId,
      receivedId: delivery.receivedId(),
      queuedCount: delivery.queuedCount(),
      eventCount,
      missedCount,
    }),
    close,
    // Which data belongs to which type is the event map's claim.
    [Symbol.asyncIterator]: () => delivery.read() as AsyncIterator<StreamEvent<Events>, undefined>,
  }
  if (settings.onState) listeners.add(settings.onState)
  feed.open()
  attend()
  return self
}

/** Adds a listener, the same one again as another one. Returns what takes it away. */
function addTo<Listener extends (value: never) => void>(set: Set<Listener>, listener: Listener): () => void {
  const own = ((value) => listener(value)) as Listener
  set.add(own)
  return () => void set.delete(own)
}
