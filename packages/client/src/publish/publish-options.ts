import type { Fetch } from '../attempt/read-event-stream.ts'
import { ClientError } from '../client-error.ts'
import { MAX_DELAY_MS, systemClock, type Clock } from '../clock.ts'
import { resolveUrl } from '../event-source/resolve-url.ts'
import type { CredentialsMode, HeadersInput } from '../web-types.ts'

const CREDENTIALS: readonly CredentialsMode[] = ['omit', 'same-origin', 'include']

/** An event to publish (API, "Publish"). */
export interface OutgoingEvent {
  /** `@alice` for a user. */
  readonly topic: string
  /** A string goes as it is, any other value as JSON. */
  readonly data: unknown
  /** @default 'message' */
  readonly type?: string | undefined
  /** What a state topic keeps the newest of. */
  readonly key?: string | undefined
  /** Only to those who are live now. Has no id and no `dedupeKey`. */
  readonly ephemeral?: boolean | undefined
  /**
   * The same key within the hub's window publishes nothing more and gives the first one's id.
   * @default a random one, unless `dedupe` is false
   */
  readonly dedupeKey?: string | undefined
  /** The `client` that is not sent this event. */
  readonly except?: string | undefined
  /** The topic is finished after this event. */
  readonly end?: boolean | undefined
}

export interface PublishOptions {
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string | undefined
  readonly headers?: HeadersInput | undefined
  /**
   * Gives each event that has none a `dedupeKey`, so that trying again stores it once. Without, only what the server has
   * refused to take for now (429) is tried again. @default true
   */
  readonly dedupe?: boolean | undefined
  /** @default 'same-origin' */
  readonly credentials?: CredentialsMode | undefined
  /** Attempts in a row that may fail. 1 to Infinity. @default 6 */
  readonly maxAttempts?: number | undefined
  /** The most that back-off adds to half a second, or to what `Retry-After` says. Milliseconds, 0 to 2^31 - 1. @default 10000 */
  readonly maxBackoffMs?: number | undefined
  /** How long one answer may take. Milliseconds, 1 to 2^31 - 1. @default 30000 */
  readonly timeoutMs?: number | undefined
  /** Ends it; whether the events of the request under way are published is then unknown. */
  readonly signal?: AbortSignal | undefined
  /** @default the runtime's */
  readonly fetch?: Fetch | undefined
  /** @default the machine's */
  readonly clock?: Clock | undefined
  /** Chance: at least 0, below 1. @default Math.random */
  readonly fraction?: (() => number) | undefined
}

/** The id of each event, null for those that are not kept. */
export type PublishedIds = readonly (string | null)[]

/** The options, checked and filled in. */
export interface PublishSettings {
  /** Absolute. */
  readonly url: string
  /** But for the content type. */
  readonly headers: Headers
  readonly dedupe: boolean
  readonly credentials: CredentialsMode
  readonly maxAttempts: number
  readonly maxBackoffMs: number
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  readonly fetch: Fetch
  readonly clock: Clock
  readonly fraction: () => number
}

/** Checks the options and fills in the defaults. @throws ClientError `invalid_option` */
export function resolvePublishOptions(url: string | URL, options: PublishOptions): PublishSettings {
  const { maxAttempts = 6, maxBackoffMs = 10_000, timeoutMs = 30_000, credentials = 'same-origin' } = options
  if (!CREDENTIALS.includes(credentials)) {
    throw invalid(`credentials is ${credentials}: give one of ${CREDENTIALS.join(', ')}.`)
  }
  return {
    url: absoluteUrl(url),
    headers: headersOf(options),
    dedupe: options.dedupe ?? true,
    credentials,
    maxAttempts: within('maxAttempts', maxAttempts, 1, Number.POSITIVE_INFINITY),
    maxBackoffMs: within('maxBackoffMs', maxBackoffMs, 0, MAX_DELAY_MS),
    timeoutMs: within('timeoutMs', timeoutMs, 1, MAX_DELAY_MS),
    signal: options.signal,
    fetch: options.fetch ?? fetch,
    clock: options.clock ?? systemClock,
    fraction: options.fraction ?? Math.random,
  }
}

function absoluteUrl(url: string | URL): string {
  let absolute: URL
  try {
    absolute = new URL(resolveUrl(String(url)))
  } catch (cause) {
    throw invalid(`url is ${String(url)}: give an absolute URL where there is no page.`, cause)
  }
  if (absolute.username === '' && absolute.password === '') return absolute.href
  throw invalid('url has a user name or a password, which fetch does not send: give token or headers.')
}

function headersOf({ headers: own, token }: PublishOptions): Headers {
  try {
    const headers = new Headers(own)
    if (token !== undefined) headers.set('Authorization', `Bearer ${token}`)
    return headers
  } catch (cause) {
    // Which it is, the cause knows: a message is not the place for what may be a secret.
    throw invalid('headers cannot be sent: a name or a value, or the token, is none that a header can have.', cause)
  }
}

function within(name: string, value: number, least: number, most: number): number {
  if (value >= least && value <= most) return value
  throw invalid(`${name} is ${String(value)}: give a number from ${least} to ${most}.`)
}

function invalid(message: string, cause?: unknown): ClientError {
  return new ClientError('invalid_option', message, { cause })
}
