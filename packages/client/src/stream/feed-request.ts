import type { EventStreamRequest } from '../attempt/read-event-stream.ts'
import type { Access, FeedSettings } from './feed-settings.ts'

type Target = Pick<EventStreamRequest, 'url' | 'fetch' | 'method' | 'headers' | 'body' | 'credentials'>

/** What a request asks for on top of the settings. */
export interface Asked {
  readonly topics: readonly string[]
  readonly access: Access
  /** Whether the server is known to be a Millrace hub. */
  readonly isHub: boolean
  /** Polls are always GET. */
  readonly poll?: Readonly<Record<string, string>>
}

/** Tells a hub that statuses are read here, so that it need not dress refusals up as streams. */
const CLIENT_HEADER = 'Millrace-Client'

/** The request for events: a stream, or a poll. */
export function feedRequest(settings: FeedSettings, { topics, access, isHub, poll }: Asked): Target {
  const { method, query } = settings
  const url = new URL(access.url ?? settings.url)
  const names = { ...query, topic: topics }
  const headers = headersFor(settings, access)
  // Elsewhere the header needs a preflight, which other servers may not know how to answer.
  if (isHub || settings.isSameOrigin) headers.set(CLIENT_HEADER, 'js')
  if (access.ticket) url.searchParams.append('ticket', access.ticket)
  const { fetch, credentials } = settings
  if (method === 'POST' && !poll) {
    url.pathname += '/stream'
    headers.set('Content-Type', 'application/json')
    // One value stands for itself, and what is not asked for is left out.
    const body = Object.entries(names).flatMap(([name, values]) =>
      values.length > 0 ? [[name, values.length > 1 ? values : values[0]]] : [],
    )
    return { url: url.href, fetch, method, headers, credentials, body: JSON.stringify(Object.fromEntries(body)) }
  }
  for (const [name, values] of Object.entries({ ...names, ...poll })) {
    for (const value of [values].flat()) url.searchParams.append(name, value)
  }
  if (poll) headers.set('Accept', 'application/json')
  return { url: url.href, fetch, headers, credentials }
}

/** Asks for something to be done to an open stream. */
export function askFor(
  settings: FeedSettings,
  access: Access,
  { path, method, body, signal }: { path: string; method: string; body: unknown; signal: AbortSignal },
): Promise<Response> {
  const url = new URL(access.url ?? settings.url)
  url.pathname += path
  const headers = headersFor(settings, access)
  headers.set('Content-Type', 'application/json')
  return settings.fetch(url.href, {
    method,
    headers: Object.fromEntries(headers),
    credentials: settings.credentials ?? 'same-origin',
    body: JSON.stringify(body),
    signal,
  })
}

function headersFor(settings: FeedSettings, access: Access): Headers {
  const headers = new Headers(settings.headers)
  for (const [name, value] of new Headers(access.headers)) headers.set(name, value)
  return headers
}
