import type { SyncReason } from '@millrace/protocol'
import type { EventStreamRequest, Fetch } from '../attempt/read-event-stream.ts'
import { ClientError } from '../client-error.ts'
import { MAX_DELAY_MS, systemClock, type Clock } from '../clock.ts'
import type { DebugLogger } from './debug-log.ts'
import type { AttemptInfo, Transport } from './event-feed.ts'
import type { Authorize, FeedSettings } from './feed-settings.ts'
import type { PersistOptions } from './id-store.ts'
import { retryPolicy, type RetryPolicy } from './retry-policy.ts'
import type { StreamStatus } from './stream-status.ts'
import type { CredentialsMode, HeadersInput } from '../web-types.ts'

const FUNCTIONS = [
  'fetch',
  'authorize',
  'onSync',
  'parse',
  'retryPolicy',
  'onAttempt',
  'onState',
  'onError',
  'fraction',
] as const

/** The longest that a hub lets a poll wait. Milliseconds. */
const MAX_POLL_WAIT_MS = 60_000

/** The most that the parser lets itself be made to hold. Bytes. */
const MAX_LIMIT_BYTES = 2 ** 28

/** The times and limits of a stream. */
export interface StreamLimits {
  /** The least delay before an attempt, until the server sends `retry:`. Milliseconds. @default 1000 */
  readonly minDelayMs: number
  /** The most that back-off adds to it. Milliseconds. @default 30000 */
  readonly maxBackoffMs: number
  /** Attempts that may fail one after the other before the stream gives up; false for any number. @default false */
  readonly maxAttempts: number | false
  /**
   * How long there may be no connection before it gives up, counted from the start or from the end of the last good one, without
   * the time of those that were open and no good, and without that in which nothing is asked for because a reader or `onSync`
   * is not ready. It gives up when the next attempt would be later, but tries once after each good connection. False for any
   * time. Milliseconds.
   *
   * @default false
   */
  readonly giveUpAfterMs: number | false
  /** How long `authorize` and the head of a response may take together. Milliseconds. @default 15000 */
  readonly connectTimeoutMs: number
  /**
   * How long after its head a hub's stream may take to begin: a hub sends both at once, so something on the way
   * holds bytes back, and polling takes over. Other servers may take their time. Milliseconds. @default 5000
   */
  readonly streamTimeoutMs: number
  /** How long a long poll waits for events. Milliseconds, up to 60000. @default 25000 */
  readonly pollWaitMs: number
  /** The time between two plain polls. Milliseconds. @default 5000 */
  readonly pollIntervalMs: number
  /** How long it is polled before a stream is tried again; doubles each time that this fails, up to 10 minutes. Milliseconds. @default 60000 */
  readonly streamRetryMs: number
  /** Events that may wait for a reader; at this many the stream is not read on. One chunk of bytes may exceed it. @default 1000 */
  readonly maxQueueCount: number
}

/** What holds when nobody says otherwise. */
export const defaultStreamLimits: StreamLimits = Object.freeze({
  minDelayMs: 1_000,
  maxBackoffMs: 30_000,
  maxAttempts: false,
  giveUpAfterMs: false,
  connectTimeoutMs: 15_000,
  streamTimeoutMs: 5_000,
  pollWaitMs: 25_000,
  pollIntervalMs: 5_000,
  streamRetryMs: 60_000,
  maxQueueCount: 1_000,
})

/** What `onSync` is told beside the reason. */
export interface SyncRequest {
  /** The id that could not be resumed from. */
  readonly from: string
  /** The id after which the server has everything; empty when it does not say. */
  readonly oldest: string
  /** Aborted when the stream is closed. */
  readonly signal: AbortSignal
}

/** A limit that is left out, or undefined, is the default. */
type GivenLimits = { readonly [Name in keyof StreamLimits]?: StreamLimits[Name] | undefined }

/** What `connect` may be given; each option may be left out, or undefined. */
export interface StreamOptions extends GivenLimits {
  /** Topics and patterns. @default what the server sends without: on a hub, all that is allowed */
  readonly topics?: readonly string[] | undefined
  /** Where a stream without an id starts, and where it goes on after a gap. @default the server's, `now` */
  readonly from?: 'now' | 'snapshot' | 'earliest' | undefined
  /** Only events of these types are sent. A hub's affair; to handle some types only, use `on`. @default all */
  readonly types?: readonly string[] | undefined
  /** A name of one's own, by which a publisher can leave this client out (`except`). @default none */
  readonly client?: string | undefined
  /** The id to start after, such as one that came with a rendered page. Wins over one that was kept. @default '' */
  readonly lastId?: string | undefined
  /** `POST` asks for the stream at `<url>/stream` with topics in the body: for more of them than a URL can hold. @default 'GET' */
  readonly method?: 'GET' | 'POST' | undefined
  /** Go out with every request; those that `authorize` gives win. @default none */
  readonly headers?: HeadersInput | undefined
  /** Of `fetch`: `'include'` sends cookies to other origins too. @default 'same-origin' */
  readonly credentials?: CredentialsMode | undefined
  /** Makes the requests. Its `init.headers` is a plain object, which can be spread. @default the runtime's */
  readonly fetch?: Fetch | undefined
  /** Closes the stream. */
  readonly signal?: AbortSignal | undefined
  /** Gives headers, another URL or a ticket for each attempt, and is asked once more after a 401. @default none */
  readonly authorize?: Authorize | undefined
  /**
   * Fetches the state anew when events were missed. Newer events wait until its promise resolves, and until then the
   * old id stays the one to resume from. When it fails it is called again, with back-off.
   *
   * @default none: the gap is told to who listens for `stream:sync-required`, else to `onError`, else it is an uncaught error
   */
  readonly onSync?: ((reason: SyncReason, request: SyncRequest) => unknown) | undefined
  /**
   * Makes `data` of the text of an event. By default JSON is parsed and all else is left as text, so the published string
   * `"42"` arrives as a number: give `(text) => text` where data are strings.
   */
  readonly parse?: ((text: string, type: string) => unknown) | undefined
  /** Keeps the last id over a reload of the page. @default false */
  readonly persist?: boolean | PersistOptions | undefined
  /**
   * One connection for all tabs of the origin whose URL and options are the same but for topics, observers and functions. Where
   * tabs may belong to different users, and only `authorize` tells them apart, give what does, such as the user's id.
   *
   * @default false
   */
  readonly share?: boolean | string | undefined
  /** One transport, whatever comes of it; or the best that works. @default 'auto' */
  readonly transport?: 'auto' | Transport | undefined
  /**
   * How long there may be no byte before the connection is taken for dead. Milliseconds, or false for any time.
   * @default 2.5 times what the server says its heartbeat is; any time when it says nothing
   */
  readonly silenceMs?: number | false | undefined
  /** Decides after each failure, in the place of the limits above; these do when it throws, or decides nothing. */
  readonly retryPolicy?: RetryPolicy | undefined
  /** The longest line and the largest event that are read. Bytes, 1 to 2^28. @default 16777216 each */
  readonly limits?: EventStreamRequest['limits']
  /** Writes what happens, with the time, to the console or to a function. @default whether `localStorage['millrace:debug']` is set */
  readonly debug?: boolean | DebugLogger | undefined
  /** Is told when a request for events begins. @default none */
  readonly onAttempt?: ((attempt: AttemptInfo) => void) | undefined
  /** Is told of each new status, as a listener of `onStatus` is. @default none */
  readonly onState?: ((status: StreamStatus) => void) | undefined
  /**
   * Whatever goes wrong, also when it is mended: for error trackers. What it throws itself is an uncaught error.
   * @default what a handler throws, and a gap that nobody is told of, are uncaught errors
   */
  readonly onError?: ((error: ClientError) => void) | undefined
  /** Time, for tests. @default the machine's */
  readonly clock?: Clock | undefined
  /** Chance: at least 0, below 1. @default Math.random */
  readonly fraction?: (() => number) | undefined
}

/** The options, checked and filled in. */
export type StreamSettings = FeedSettings & StreamLimits & Omit<StreamOptions, keyof FeedSettings | keyof StreamLimits>

/** Checks the options and fills in the defaults. @throws ClientError `invalid_option` */
export function resolveStreamOptions(url: string | URL, options: StreamOptions): StreamSettings {
  const { topics = [], method = 'GET', transport = 'auto', credentials = 'same-origin' } = options
  const { from, types, client, clock = systemClock, fraction = Math.random } = options
  const limits = resolveLimits(options)
  const { location, document } = globalThis as { location?: Location; document?: Document }
  const settings = {
    ...options,
    ...limits,
    url: absoluteUrl(url, document?.baseURI ?? location?.href),
    topics,
    query: { from: listOf(from), type: listOf(types), client: listOf(client) },
    method,
    credentials,
    // Looked up at each call: whoever replaces it later means this stream too.
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    transport,
    policy: retryPolicy(limits, fraction),
    clock,
    fraction,
    time: Date.now,
    pageOrigin: location?.origin,
  }
  checkSettings(settings)
  return settings
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return [value || []].flat()
}

function absoluteUrl(url: string | URL, base: string | undefined): string {
  let absolute: URL
  try {
    absolute = new URL(url, base)
  } catch {
    throw invalid('url', url, 'give an absolute URL where there is no page')
  }
  const { username, password, href } = absolute
  if (!username && !password) return href
  absolute.username = absolute.password = ''
  throw invalid('url', `${absolute.href} with credentials`, 'give them by headers or authorize')
}

/** What would otherwise be noticed late, or taken for something else. */
function checkSettings(settings: StreamSettings): void {
  const { transport, method, credentials, topics, headers, limits = {}, silenceMs = false } = settings
  for (const name of FUNCTIONS) {
    const value = settings[name]
    if (value !== undefined && typeof value !== 'function') throw invalid(name, value, 'give a function')
  }
  oneOf('transport', transport, ['auto', 'stream', 'long-polling', 'polling'])
  oneOf('method', method, ['GET', 'POST'])
  oneOf('credentials', credentials, ['omit', 'same-origin', 'include'])
  if (!Array.isArray(topics)) throw invalid('topics', topics, 'give an array of topics')
  checked('silenceMs', silenceMs, true, MAX_DELAY_MS)
  for (const [name, bytes = 1] of Object.entries(limits)) checked(name, bytes, false, MAX_LIMIT_BYTES)
  try {
    void new Headers(headers)
  } catch (cause) {
    // Not what they are: they may be secret.
    const message = 'headers cannot be sent: give names and values that HTTP allows.'
    throw new ClientError('invalid_option', message, { cause })
  }
}

function resolveLimits(options: StreamOptions): StreamLimits {
  const limits: Record<string, number | false> = {}
  for (const [name, byDefault] of Object.entries(defaultStreamLimits) as [keyof StreamLimits, number | false][]) {
    const value = options[name] ?? byDefault
    limits[name] = checked(name, value, byDefault === false, name === 'pollWaitMs' ? MAX_POLL_WAIT_MS : MAX_DELAY_MS)
  }
  return limits as unknown as StreamLimits
}

function checked<T>(name: string, value: T, mayBeOff: boolean, most: number): T {
  if ((mayBeOff && value === false) || (Number(value) >= 1 && Number(value) <= most)) return value
  throw invalid(name, value, `give a number from 1 to ${most}${mayBeOff ? ', or false' : ''}`)
}

function oneOf(name: string, value: string, values: readonly string[]): void {
  if (!values.includes(value)) throw invalid(name, value, `give one of ${values.join(', ')}`)
}

function invalid(name: string, value: unknown, advice: string): ClientError {
  return new ClientError('invalid_option', `${name} is ${String(value)}: ${advice}.`)
}
