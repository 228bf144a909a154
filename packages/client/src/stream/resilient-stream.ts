import { ClientError, type ClientErrorCode } from '../client-error.ts'
import { debugLogger, type DebugLogger } from './debug-log.ts'
import { Delivery, type DeliveredEvent } from './delivery.ts'
import type { EventFeed, FeedEvent, FeedSink, FeedStatus, MissedNotice } from './event-feed.ts'
import type { HandlerArgument, HandlerType, StreamEvent } from './event-map.ts'
import type { EventStream, StreamDiagnostics, TopicChangeOptions } from './event-stream.ts'
import type { FeedSettings } from './feed-settings.ts'
import { IdStore } from './id-store.ts'
import { onPageSignals } from './page-signals.ts'
import { Pause } from './pause.ts'
import type { StreamLimits, StreamOptions } from './stream-options.ts'
import { isFinal, type StreamStatus } from './stream-status.ts'

type Handler = (event: never) => void

const SYNC_REQUIRED = 'stream:sync-required'

/** The most that is waited before `onSync` is called again. Milliseconds. */
const MAX_SYNC_DELAY_MS = 30_000
const FIRST_SYNC_DELAY_MS = 1_000

/** A stream over any feed: handlers and readers, the status, the gate of missed events, and the id that is kept. */
export class ResilientStream<Events extends object> implements EventStream<Events> {
  readonly #settings: FeedSettings
  readonly #options: StreamOptions
  readonly #feed: EventFeed
  readonly #delivery: Delivery
  readonly #store: IdStore | undefined
  readonly #log: DebugLogger | undefined
  readonly #pause: Pause
  readonly #controller = new AbortController()
  readonly #stopSignals: () => void
  readonly #onAbort = (): void => this.close()
  readonly #handlers = new Map<string, Set<Handler>>()
  readonly #listeners = new Set<(status: StreamStatus) => void>()
  #feedStatus: FeedStatus = { name: 'connecting', attempt: 1 }
  #syncing: StreamStatus | undefined
  #status: StreamStatus = this.#feedStatus
  #lastId: string
  #eventCount = 0
  #missedCount = 0

  constructor(
    settings: FeedSettings,
    { maxQueueCount }: StreamLimits,
    options: StreamOptions,
    makeFeed: (sink: FeedSink) => EventFeed,
  ) {
    const { debug, lastId, persist, signal } = options
    const { clock, url, topics } = settings
    this.#settings = settings
    this.#options = options
    this.#log = debugLogger(debug)
    this.#pause = new Pause(clock)
    if (persist) {
      const { key = `millrace:${url}?${topics.join()}`, storage } = persist === true ? {} : persist
      this.#store = new IdStore(clock, { key, storage }, (cause) =>
        this.#fail('storage', 'The last id cannot be kept', cause),
      )
    }
    this.#lastId = lastId ?? this.#store?.read() ?? ''
    this.#delivery = new Delivery(
      {
        maxQueueCount,
        handle: (event) => this.#handle(event),
        sync: (notice) => this.#sync(notice),
        keep: (id) => {
          this.#lastId = id
          this.#store?.keep(id)
        },
      },
      this.#lastId,
    )
    this.#feed = makeFeed(this.#sink())
    this.#stopSignals = onPageSignals(
      globalThis,
      () => this.#feed.wake(),
      () => this.#store?.write(),
    )
    signal?.addEventListener('abort', this.#onAbort)
    this.#feed.open()
    if (signal?.aborted) this.close()
  }

  get status(): StreamStatus {
    return this.#status
  }

  get topics(): readonly string[] {
    return this.#feed.diagnostics().topics
  }

  get lastId(): string {
    return this.#lastId
  }

  on<T extends HandlerType<Events>>(type: T, handler: (event: HandlerArgument<Events, T>) => void): () => void {
    let handlers = this.#handlers.get(type)
    if (!handlers) this.#handlers.set(type, (handlers = new Set()))
    // The same function twice is two handlers.
    const own: Handler = (event) => handler(event)
    handlers.add(own)
    this.#delivery.start()
    return () => void handlers.delete(own)
  }

  onStatus(listener: (status: StreamStatus) => void): () => void {
    const own = (status: StreamStatus): void => listener(status)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  setTopics(topics: readonly string[], { from }: TopicChangeOptions = {}): Promise<void> {
    return this.#feed.setTopics([...new Set(topics)], from)
  }

  addTopics(topics: readonly string[], options?: TopicChangeOptions): Promise<void> {
    return this.setTopics([...this.topics, ...topics], options)
  }

  removeTopics(topics: readonly string[]): Promise<void> {
    return this.setTopics(this.topics.filter((topic) => !topics.includes(topic)))
  }

  diagnostics(): StreamDiagnostics {
    return {
      ...this.#feed.diagnostics(),
      status: this.#status,
      lastId: this.#lastId,
      receivedId: this.#delivery.receivedId,
      queuedCount: this.#delivery.queuedCount,
      eventCount: this.#eventCount,
      missedCount: this.#missedCount,
    }
  }

  close(): void {
    this.#feed.close()
  }

  [Symbol.asyncIterator](): AsyncIterator<StreamEvent<Events>, undefined> {
    // Which data belongs to which type is the event map's claim.
    return this.#delivery.read() as AsyncIterator<StreamEvent<Events>, undefined>
  }

  #sink(): FeedSink {
    const delivery = this.#delivery
    return {
      resumeId: () => delivery.receivedId,
      event: (event) => {
        this.#eventCount++
        this.#note(`event ${event.type} ${event.topic} ${event.id}`)
        delivery.push({ event: this.#parse(event), id: event.id })
      },
      moved: (id) => {
        if (id !== delivery.receivedId) delivery.push({ id })
      },
      missed: (missed, id) => delivery.push({ missed, id }),
      ready: () => delivery.ready(),
      attempt: (attempt) => {
        this.#note(`attempt ${attempt.attempt} by ${attempt.transport} from ${attempt.lastId || 'the start'}`)
        this.#options.onAttempt?.(attempt)
      },
      status: (status) => this.#follow(status),
    }
  }

  #follow(status: FeedStatus): void {
    this.#feedStatus = status
    if ('error' in status) this.#report(status.error)
    if (isFinal(status)) {
      if (status.name === 'closed') this.#delivery.close()
      else this.#delivery.finish(status.name === 'failed' ? status.error : undefined)
      this.#stopSignals()
      this.#options.signal?.removeEventListener('abort', this.#onAbort)
      this.#store?.write()
    }
    if (status.name === 'closed') {
      this.#controller.abort()
      this.#pause.end()
    }
    this.#show()
  }

  /** What is shown follows from what the feed says, and whether the state is being fetched anew. */
  #show(): void {
    const status = isFinal(this.#feedStatus) ? this.#feedStatus : (this.#syncing ?? this.#feedStatus)
    if (status === this.#status) return
    this.#status = status
    this.#note(`status ${status.name}`)
    for (const listener of [this.#options.onState, ...this.#listeners]) this.#call(listener, status)
  }

  #parse({ type, data, topic, id }: FeedEvent): DeliveredEvent {
    const { parse } = this.#options
    try {
      return { type, topic, id, data: parse && !type.startsWith('stream:') ? parse(data, type) : parseJson(data) }
    } catch (cause) {
      this.#fail('handler', 'parse has thrown', cause)
      return { type, topic, id, data }
    }
  }

  #handle(event: DeliveredEvent): void {
    const isOwn = event.type.startsWith('stream:')
    for (const type of isOwn ? [event.type] : [event.type, '*']) {
      for (const handler of [...(this.#handlers.get(type) ?? [])]) this.#call(handler, event as never)
    }
  }

  #call<T>(listener: ((value: T) => void) | undefined, value: T): void {
    try {
      listener?.(value)
    } catch (cause) {
      this.#fail('handler', 'A handler has thrown', cause)
    }
  }

  async #sync(notice: MissedNotice): Promise<void> {
    const { reason } = notice
    const { onSync } = this.#options
    const { signal } = this.#controller
    this.#missedCount++
    if (onSync) {
      let error: ClientError | undefined
      for (let attempt = 1; !signal.aborted; attempt++) {
        this.#syncing = { name: 'syncing', reason, attempt, error }
        this.#show()
        try {
          await onSync(reason, { ...notice, signal })
          break
        } catch (cause) {
          error = this.#fail('sync', 'onSync has failed', cause)
          const delayMs = Math.min(MAX_SYNC_DELAY_MS, FIRST_SYNC_DELAY_MS * 2 ** (attempt - 1))
          if (!signal.aborted) await this.#pause.wait(delayMs * (1 + this.#settings.fraction()), delayMs)
        }
      }
      this.#syncing = undefined
      this.#show()
    } else if (!this.#handlers.get(SYNC_REQUIRED)?.size) {
      this.#report(new ClientError('missed', `Events were missed (${reason}): give onSync, to fetch the state anew.`))
    }
    this.#handle({ type: SYNC_REQUIRED, data: notice, topic: '', id: notice.from })
  }

  #fail(code: ClientErrorCode, what: string, cause: unknown): ClientError {
    const error = new ClientError(code, `${what}: ${String(cause)}`, { cause })
    this.#report(error)
    return error
  }

  #report(error: ClientError): void {
    this.#note(`error ${error.code} ${error.message}`)
    const { onError } = this.#options
    if (onError) return onError(error)
    // These are mended by nobody else. As an EventTarget does: whoever watches for uncaught errors sees them.
    if (error.code === 'handler' || error.code === 'missed') {
      queueMicrotask(() => {
        throw error.cause instanceof Error ? error.cause : error
      })
    }
  }

  #note(text: string): void {
    this.#log?.(`[millrace ${new Date(this.#settings.time()).toISOString()}] ${text}`)
  }
}

/** The value when the text is JSON, else the text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
