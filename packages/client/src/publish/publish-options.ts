import type { Fetch } from '../attempt/read-event-stream.ts'
import type { Clock } from '../clock.ts'
import type { CredentialsMode, HeadersInput } from '../web-types.ts'

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
  /** Attempts in a row that may fail. 1 or more. @default 6 */
  readonly maxAttempts?: number | undefined
  /** The most that back-off adds to half a second, or to what `Retry-After` says. Milliseconds. @default 10000 */
  readonly maxBackoffMs?: number | undefined
  /** How long one answer may take. Milliseconds. @default 30000 */
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
