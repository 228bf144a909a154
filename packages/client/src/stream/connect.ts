import { debugLogger } from './debug-log.ts'
import type { EventFeed, FeedSink } from './event-feed.ts'
import type { EventMap } from './event-map.ts'
import type { EventStream } from './event-stream.ts'
import type { FeedSettings } from './feed-settings.ts'
import { httpFeed } from './http-feed.ts'
import { lateFeed } from './late-feed.ts'
import { resilientStream } from './resilient-stream.ts'
import { resolveStreamOptions, type StreamOptions } from './stream-options.ts'

/**
 * Opens a stream of events that keeps its promises over bad networks: it reconnects, resumes from the last id, notices
 * dead connections, renews credentials, and polls where streams do not get through.
 *
 * ```ts
 * const stream = connect<{ tick: { price: number } }>('/events', { topics: ['stocks.*'] })
 * for await (const event of stream) render(event.topic, event.data)
 * ```
 *
 * @throws ClientError `invalid_option`
 */
export function connect<Events extends object = EventMap>(
  url: string | URL,
  options: StreamOptions = {},
): EventStream<Events> {
  const { share, debug } = options
  return resilientStream<Events>(resolveStreamOptions(url, options), (settings, sink) => {
    const feed = httpFeed(settings, sink)
    return share ? lateFeed(feed, () => sharedFeed(share, settings, sink, debug)) : feed
  })
}

/** Undefined where it cannot be had: a stream is worth more than its sharing. */
async function sharedFeed(
  share: true | string,
  settings: FeedSettings,
  sink: FeedSink,
  debug: StreamOptions['debug'],
): Promise<EventFeed | undefined> {
  let why: unknown = 'no Web Locks or no BroadcastChannel here'
  try {
    // Only who shares pays for it: bundlers make a file of its own of this.
    const { openSharedFeed } = await import('../share/open-shared-feed.ts')
    const feed = await openSharedFeed(settings, sink, httpFeed, String(share))
    if (feed) return feed
  } catch (error) {
    why = error
  }
  debugLogger(debug)?.(`[millrace] not shared with other tabs: ${String(why)}`)
  return undefined
}
