import type { EventStreamRequest, Fetch } from '../attempt/read-event-stream.ts'
import type { Clock } from '../clock.ts'
import type { Transport } from './event-feed.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { CredentialsMode, HeadersInput } from '../web-types.ts'

/** What an attempt is made with, on top of the stream's own options. */
export interface Access {
  /** Added to the stream's own headers. */
  readonly headers?: HeadersInput | undefined
  /** In the place of the stream's URL, and relative to it; topics are added to it. */
  readonly url?: string | undefined
  /** A one-time ticket, sent as `ticket` in the query. */
  readonly ticket?: string | undefined
}

/** The attempt that `authorize` is asked for. */
export interface AccessRequest {
  /** Counts from 1, and again from 1 after each good connection. */
  readonly attempt: number
  /** True when the server has refused what was given last, or says that it is about to end. */
  readonly isRefused: boolean
  readonly signal: AbortSignal
}

/** Gives what the next attempt is made with. Is never called while an earlier call is pending. A rejection is tried again with back-off. */
export type Authorize = (request: AccessRequest) => Access | undefined | Promise<Access | undefined>

/** What a feed works with: the options of the stream, resolved. */
export interface FeedSettings {
  /** Absolute. */
  readonly url: string
  readonly topics: readonly string[]
  /** What goes into the query, or the body, of each request for events, beside topics. */
  readonly query: Readonly<Record<string, readonly string[]>>
  readonly method: 'GET' | 'POST'
  readonly headers?: HeadersInput | undefined
  readonly credentials: CredentialsMode
  readonly fetch: Fetch
  readonly authorize?: Authorize | undefined
  readonly transport: 'auto' | Transport
  readonly policy: RetryPolicy
  readonly clock: Clock
  readonly fraction: () => number
  /** Milliseconds since 1970. */
  readonly time: () => number
  readonly limits?: EventStreamRequest['limits']
  /** The origin of the page; undefined where there is none. */
  readonly pageOrigin: string | undefined
  readonly minDelayMs: number
  readonly connectTimeoutMs: number
  readonly streamTimeoutMs: number
  readonly silenceMs?: number | false | undefined
  readonly pollWaitMs: number
  readonly pollIntervalMs: number
  readonly streamRetryMs: number
}
