import { HttpFeed } from './http-feed.ts'
import type { EventMap } from './event-map.ts'
import type { EventStream } from './event-stream.ts'
import { ResilientStream } from './resilient-stream.ts'
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
  const { settings, limits } = resolveStreamOptions(url, options)
  return new ResilientStream<Events>(settings, limits, options, (sink) => new HttpFeed(settings, sink))
}
