import { httpFeed } from '../../../src/stream/http-feed.ts'
import type { FeedEvent, FeedSink, FeedStatus, MissedNotice } from '../../../src/stream/event-feed.ts'
import { resolveStreamOptions, type StreamOptions } from '../../../src/stream/stream-options.ts'
import { SharedFeed } from '../../../src/share/shared-feed.ts'
import { shareKey } from '../../../src/share/share-key.ts'
import type { SimulatedBrowser, SimulatedTab } from './simulated-browser.ts'

/** A program in a tab that shares its connection, and what it was given. */
export class TabProgram {
  readonly tab: SimulatedTab
  readonly feed: SharedFeed
  readonly key: string
  readonly events: FeedEvent[] = []
  readonly missed: MissedNotice[] = []
  readonly statuses: FeedStatus[] = []
  /** Requests for events that it has made itself. */
  attempts = 0
  lastId: string
  /** The first id that it had. */
  startId: string | undefined
  /** That id came with an event. */
  startsWithEvent = false
  #held: { promise: Promise<void>; release: () => void } | undefined

  constructor(browser: SimulatedBrowser, topics: readonly string[], options: StreamOptions = {}) {
    const { lastId = '' } = options
    this.lastId = lastId
    this.tab = browser.openTab()
    const settings = resolveStreamOptions('http://hub.test/events', {
      ...options,
      topics,
      clock: this.tab.clock,
      fetch: this.tab.fetch,
      fraction: browser.fraction,
    })
    const fixed = { ...settings, time: () => 1_700_000_000_000 + browser.clock.now() }
    this.key = shareKey(fixed, 'true')
    this.feed = new SharedFeed(fixed, this.#sink(), httpFeed, this.tab, this.key)
    this.feed.open()
  }

  get role(): string | undefined {
    return this.feed.diagnostics().sharing
  }

  get status(): FeedStatus | undefined {
    return this.statuses.at(-1)
  }

  /** The data of its events, in order, those of the stream itself left out. */
  data(topic?: string): string[] {
    return this.events
      .filter((event) => !event.type.startsWith('stream:') && (topic === undefined || event.topic === topic))
      .map(({ data }) => data)
  }

  /** Takes nothing more until `release`. */
  hold(): void {
    if (this.#held) return
    let release = (): void => {}
    const promise = new Promise<void>((resolve) => (release = resolve))
    this.#held = { promise, release }
  }

  release(): void {
    this.#held?.release()
    this.#held = undefined
  }

  #sink(): FeedSink {
    const move = (id: string): void => {
      if (id !== '') this.startId ??= id
      this.lastId = id
    }
    return {
      resumeId: () => this.lastId,
      event: (event) => {
        this.startsWithEvent ||= this.startId === undefined && event.id !== ''
        this.events.push(event)
        move(event.id)
      },
      moved: move,
      missed: (notice, id) => {
        this.missed.push(notice)
        if (id !== undefined) move(id)
      },
      ready: () => this.#held?.promise,
      attempt: () => void this.attempts++,
      status: (status) => this.statuses.push(status),
    }
  }
}
