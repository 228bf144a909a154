import type { EventFeed } from './event-feed.ts'

/**
 * A feed whose code is loaded when it is opened; until then, and if that fails, another one stands for it.
 *
 * Topics that are asked for meanwhile are wanted at once, and handed on in order when the feed is open.
 *
 * @param plain never opened when `load` gives another one; `load` does not reject
 */
export function lateFeed(plain: EventFeed, load: () => Promise<EventFeed | undefined>): EventFeed {
  let feed = plain
  let wanted: readonly string[] | undefined
  let changes: (() => void)[] | undefined = []
  const handOn = (): void => {
    changes?.forEach((change) => change())
    wanted = changes = undefined
  }
  return {
    open() {
      void load().then((loaded) => {
        // It was closed meanwhile.
        if (!changes) return
        feed = loaded ?? plain
        feed.open()
        handOn()
      })
    },
    setTopics(topics, from) {
      if (!changes) return feed.setTopics(topics, from)
      wanted = topics
      return new Promise((resolve) => changes?.push(() => resolve(feed.setTopics(topics, from))))
    },
    wake: () => feed.wake(),
    close() {
      feed.close()
      handOn()
    },
    diagnostics() {
      const found = feed.diagnostics()
      return { ...found, topics: wanted ?? found.topics }
    },
  }
}
