import type { EventFeed, FeedDiagnostics } from './event-feed.ts'

/**
 * A feed whose code is loaded when it is opened; until then, and if that fails, another one stands for it.
 */
export class LateFeed implements EventFeed {
  #feed: EventFeed
  readonly #load: () => Promise<EventFeed | undefined>
  #loading: Promise<void> | undefined
  #isClosed = false

  /** @param plain never opened when `load` gives another one; `load` does not reject */
  constructor(plain: EventFeed, load: () => Promise<EventFeed | undefined>) {
    this.#feed = plain
    this.#load = load
  }

  open(): void {
    this.#loading = this.#open()
  }

  async setTopics(topics: readonly string[], from?: 'now' | 'snapshot'): Promise<void> {
    await this.#loading
    return this.#feed.setTopics(topics, from)
  }

  wake(): void {
    this.#feed.wake()
  }

  close(): void {
    this.#isClosed = true
    this.#feed.close()
  }

  diagnostics(): FeedDiagnostics {
    return this.#feed.diagnostics()
  }

  async #open(): Promise<void> {
    const feed = await this.#load()
    if (this.#isClosed) return
    this.#feed = feed ?? this.#feed
    this.#feed.open()
  }
}
