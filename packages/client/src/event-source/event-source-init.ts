import type { Fetch } from '../attempt/read-event-stream.ts'
import type { Backoff } from './backoff.ts'
import type { HeadersInput, RequestBody } from '../web-types.ts'

/** How to connect. Without any of these an `EventSource` is the standard's, to the letter. */
export interface EventSourceInit {
  /** The standard's own option: send cookies and the like to other origins too. @default false */
  readonly withCredentials?: boolean | undefined
  /**
   * Headers to send; they are read for each attempt, so that who changes the object changes what the next attempt
   * sends. An `Accept` replaces `text/event-stream`; a `Last-Event-ID` says where the first request starts. @default none
   */
  readonly headers?: HeadersInput | undefined
  /** The method of each request. @default 'GET', and 'POST' when there is a `body` */
  readonly method?: string | undefined
  /** What each request sends: anything but a stream, which could not be sent again. @default none */
  readonly body?: RequestBody | undefined
  /** What makes the requests. It is given the URL, and an init whose `headers` are a plain object. @default globalThis.fetch */
  readonly fetch?: Fetch | undefined
  /** Closes the source when it is aborted. @default none */
  readonly signal?: AbortSignal | undefined
  /** Waits longer than the standard asks for, or goes on where it would close: `exponentialBackoff()`, or a function. @default none */
  readonly backoff?: Backoff | undefined
}
