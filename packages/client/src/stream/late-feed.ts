import type { EventFeed } from './event-feed.ts'

/**
 * A feed whose code is loaded when it is opened; until then, and if that fails, another one stands for it.
 *
 * @param plain never opened when `load` gives another one; `load` does not reject
 */
export function lateFeed(plain: EventFeed, load: () => Promise<EventFeed | undefined>): EventFeed {
  let feed = plain
  let loading: Promise<void> | undefined
  let isClosed = false
  const open = async (): Promise<void> => {
    const loaded = await load()
    if (isClosed) return
    feed = loaded ?? plain
    feed.open()
  }
  return {
    open: () => void (loading = open()),
    async setTopics(topics, from) {
      await loading
      return feed.setTopics(topics, from)
    },
    wake: () => feed.wake(),
    close() {
      isClosed = true
      feed.close()
    },
    diagnostics: () => feed.diagnostics(),
  }
}
