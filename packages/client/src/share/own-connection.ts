import type { EventFeed, FeedSink, FeedStatus } from '../stream/event-feed.ts'
import type { FeedSettings } from '../stream/feed-settings.ts'
import type { TabEntry } from './tab-message.ts'
import { areEqual } from './topic-filter.ts'

/** Makes the connection of one tab. */
export type FeedMaker = (settings: FeedSettings, sink: FeedSink) => EventFeed

/** Who takes what the connection brings. Nothing comes after `stop`. */
export interface ConnectionHost {
  pass(entry: TabEntry): void
  /** All that has come so far was passed on. */
  rest(): void
  ready(): Promise<void> | undefined
  status(status: FeedStatus): void
}

/** The connection of one tab: for this tab alone, or as the leader for others too. */
export class OwnConnection {
  readonly #settings: FeedSettings
  readonly #sink: FeedSink
  readonly #makeFeed: FeedMaker
  readonly #host: ConnectionHost
  /** The one that is open while `isRunning`, else the last one or one that never was. */
  feed: EventFeed
  isRunning: boolean = false
  /** What comes at once on a new connection has begun to come: its server knows it. */
  isConnected: boolean = false
  /** It was asked for the topics of others too. */
  isMixed: boolean = false
  /** All that is due up to the last id has come, state values too. */
  isWhole: boolean = false
  /** It asks again and again, and hears of a newer id only when it is answered. */
  isPolling: boolean = false

  constructor(settings: FeedSettings, sink: FeedSink, makeFeed: FeedMaker, host: ConnectionHost) {
    this.#settings = settings
    this.#sink = sink
    this.#makeFeed = makeFeed
    this.#host = host
    this.feed = makeFeed(settings, sink)
  }

  run(topics: readonly string[], own: readonly string[]): void {
    this.stop()
    this.isMixed = !areEqual(topics, own)
    const sink = this.#sinkOf(() => this.feed === feed && this.isRunning)
    const feed = this.#makeFeed({ ...this.#settings, topics }, sink)
    this.feed = feed
    this.isRunning = true
    feed.open()
  }

  stop(): void {
    const wasRunning = this.isRunning
    this.isRunning = this.isConnected = this.isPolling = false
    if (wasRunning) this.feed.close()
  }

  #sinkOf(isCurrent: () => boolean): FeedSink {
    const sink = this.#sink
    const host = this.#host
    const { from: [from = 'now'] = [] } = this.#settings.query
    let isGap = false
    let isAtStart = false
    let isOpen = false
    return {
      resumeId: () => sink.resumeId(),
      event: (event) => {
        if (!isCurrent()) return
        if (event.type === 'stream:caught-up') this.isWhole = true
        host.pass({ id: event.id, isOwn: event.id !== sink.resumeId(), event })
      },
      moved: (id) => {
        if (!isCurrent()) return
        if (id !== sink.resumeId()) host.pass({ id, isOwn: true })
        // Where nothing is owed there is no word that all of it has come.
        if (isGap || this.isPolling || (isAtStart && id !== '' && from === 'now')) this.isWhole = true
        // It is looked at before anything has come, too.
        if (isOpen || this.isPolling) this.isConnected = true
        if (isCurrent()) host.rest()
      },
      missed: (missed, id) => {
        if (!isCurrent()) return
        isGap = true
        const isOwn = id !== undefined && id !== sink.resumeId()
        host.pass({ id: id ?? sink.resumeId(), isOwn, missed })
      },
      ready: () => host.ready(),
      attempt: (attempt) => {
        if (!isCurrent()) return
        const wasPolling = this.isPolling
        this.isPolling = attempt.transport !== 'stream'
        // The next poll goes on where the last one was answered.
        if (!(wasPolling && this.isPolling)) this.isWhole = this.isConnected = isGap = isOpen = false
        isAtStart = attempt.lastId === ''
        sink.attempt(attempt)
      },
      status: (status) => {
        isOpen = status.name === 'open'
        if (isCurrent()) host.status(status)
      },
    }
  }
}
