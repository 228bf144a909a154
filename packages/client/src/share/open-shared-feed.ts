import type { EventFeed, FeedSink } from '../stream/event-feed.ts'
import type { FeedSettings } from '../stream/feed-settings.ts'
import { browserTabs } from './browser-tabs.ts'
import type { FeedMaker } from './own-connection.ts'
import { shareKey } from './share-key.ts'
import { SharedFeed } from './shared-feed.ts'

/** The feed of a tab that shares its connection; undefined where tabs cannot. Not open yet. */
export async function openSharedFeed(
  settings: FeedSettings,
  sink: FeedSink,
  makeFeed: FeedMaker,
  name: string,
): Promise<EventFeed | undefined> {
  const tabs = await browserTabs()
  return tabs && new SharedFeed(settings, sink, makeFeed, tabs, shareKey(settings, name))
}
