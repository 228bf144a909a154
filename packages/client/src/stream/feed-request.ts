import type { Fetch } from '../attempt/read-event-stream.ts'
import type { Access, FeedSettings } from './feed-settings.ts'
import type { CredentialsMode } from '../web-types.ts'

export interface Target {
  readonly url: string
  readonly fetch: Fetch
  readonly method: string
  readonly credentials: CredentialsMode
  readonly headers: Headers
  readonly body: string | null
}

/** What a request is about, on top of the settings and of what `authorize` has given. */
export interface Asked {
  /** Behind the path of the URL. */
  readonly path?: string
  readonly method?: string
  readonly query?: Readonly<Record<string, string | readonly string[]>>
  /** Sent as JSON. */
  readonly body?: object
}

/** Makes every request of a feed: for a stream, for a poll, and to change an open stream. */
export function feedRequest(
  settings: FeedSettings,
  access: Access,
  { path = '', method = 'GET', query = {}, body }: Asked,
): Target {
  const url = accessUrl(settings, access)
  url.pathname += path
  for (const [name, values] of Object.entries(query)) {
    for (const value of [values].flat()) url.searchParams.append(name, value)
  }
  const headers = new Headers(settings.headers)
  new Headers(access.headers).forEach((value, name) => headers.set(name, value))
  if (body) headers.set('Content-Type', 'application/json')
  const { fetch, credentials } = settings
  return { url: url.href, fetch, method, credentials, headers, body: body ? JSON.stringify(body) : null }
}

/** A request for events: what it asks for, and of whom. */
export interface EventsAsked {
  readonly topics: readonly string[]
  /** The server has shown that it is one. */
  readonly isHub: boolean
  /** Of a poll, which is always a GET. */
  readonly pollQuery?: Readonly<Record<string, string>> | undefined
}

/** The request for a stream, or for a poll. */
export function eventsRequest(
  settings: FeedSettings,
  access: Access,
  { topics, isHub, pollQuery }: EventsAsked,
): Target {
  const names = { ...settings.query, topic: topics }
  const ticket = access.ticket || []
  // One value stands for itself, and what is not asked for is left out.
  const body = Object.entries(names).map(([name, values]) => [name, values.length > 1 ? values : values[0]])
  const target = feedRequest(
    settings,
    access,
    settings.method === 'POST' && !pollQuery
      ? { path: '/stream', method: 'POST', query: { ticket }, body: Object.fromEntries(body) as object }
      : { query: { ticket, ...names, ...pollQuery } },
  )
  // It tells a hub that statuses are read here, so that it need not dress refusals up as streams. Elsewhere it needs a
  // preflight, which other servers may not know how to answer.
  if (isHub || isNear(settings, access)) target.headers.set('Millrace-Client', 'js')
  if (pollQuery) target.headers.set('Accept', 'application/json')
  // A header of the user's own would win over the id that is asked for.
  if (pollQuery?.['last_event_id']) target.headers.delete('Last-Event-ID')
  return target
}

/** Whether requests are free of preflights whatever their headers: there is no page, or it is of the same origin. */
export function isNear(settings: FeedSettings, access: Access): boolean {
  const { pageOrigin } = settings
  return pageOrigin === undefined || accessUrl(settings, access).origin === pageOrigin
}

function accessUrl(settings: FeedSettings, access: Access): URL {
  const url = new URL(access.url ?? settings.url, settings.url)
  // What fetch says of it shows the password.
  if (url.username || url.password) throw new TypeError('a URL with credentials cannot be asked')
  return url
}

/** Sends what is not for a stream. Rejects when `fetch` throws. */
export async function send({ url, fetch, headers, ...init }: Target, signal: AbortSignal): Promise<Response> {
  return fetch(url, { ...init, headers: Object.fromEntries(headers), cache: 'no-store', signal })
}

/** Lets the connection of a response go that is not read. */
export function drop({ body }: Response): void {
  body?.cancel().catch(() => {})
}
