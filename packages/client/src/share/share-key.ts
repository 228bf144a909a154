import type { FeedSettings } from '../stream/feed-settings.ts'

/**
 * Equal for streams whose server sees the same but for topics. Those without topics ask for all that they are allowed, which
 * cannot be united with some. Functions have no value to compare: they count as equal when both are there.
 *
 * @param name what the page gives as `share`
 */
export function shareKey(settings: FeedSettings, name: string): string {
  const { url, query, method, headers, credentials, transport, authorize, topics } = settings
  const flags = [authorize !== undefined, topics.length > 0]
  return `millrace:1:${JSON.stringify([url, name, query, method, [...new Headers(headers)], credentials, transport, flags])}`
}
