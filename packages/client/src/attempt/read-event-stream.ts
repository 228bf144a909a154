import { EventStreamParser, type EventStreamHandlers, type EventStreamParserOptions } from '@millrace/protocol'
import { isEventStream } from './content-type.ts'
import { requestHeaders } from './request-headers.ts'
import type { CredentialsMode, HeadersInput, RequestBody } from '../web-types.ts'

/** The standard `fetch`, or one that adds something to it. It gets the headers as a plain object, which can be spread. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>

export interface FetchInit extends RequestInit {
  readonly headers: Record<string, string>
  readonly signal: AbortSignal
}

export interface EventStreamRequest {
  /** Absolute where the runtime has no base for URLs. */
  readonly url: string
  readonly fetch: Fetch
  readonly method: string
  readonly headers?: HeadersInput | undefined
  readonly body: RequestBody | null
  readonly credentials: CredentialsMode
  /** The id to resume from; empty when there is none. Also the id that events have until the stream sends another. */
  readonly lastEventId: string
  /** Ends the attempt. Nothing listens to it any more when the attempt has ended. */
  readonly signal: AbortSignal
  /** What the stream may make the parser hold. */
  readonly limits?: Omit<EventStreamParserOptions, 'lastEventId'> | undefined
}

/** Who is told what happens, in the order in which it does. Handlers must not throw: that ends the attempt as `unreadable`. */
export interface AttemptHandlers extends EventStreamHandlers {
  /**
   * The response is an event stream: called before anything is read of it. Its body belongs to the attempt.
   *
   * @param reset makes the parser forget all that is unfinished.
   */
  onOpen(response: Response, reset: () => void): void
  /** Bytes have come, of whatever kind: called before they are parsed. More than 0. */
  onBytes?(count: number): void
  /**
   * Called before each read. What it returns is waited for, and then it is called again: a consumer who is slow is felt by
   * the sender, since what is not read stays in the connection.
   */
  beforeRead?(): Promise<void> | undefined
  /**
   * The status is not 200. The attempt ends when what this returns, which must not reject, is done. Whoever reads of the body
   * cancels it, also when the signal of the request is aborted meanwhile.
   */
  onRefused?(response: Response): Promise<void>
}

/** How an attempt has ended. */
export type AttemptEnd =
  /** The server has ended the stream. */
  | { readonly kind: 'ended' }
  /** No response came, or the connection broke: `error` is what `fetch` or the body says. */
  | { readonly kind: 'network'; readonly error: unknown }
  /** What came cannot be read on: a limit of the parser was broken (a `ProtocolError`), it is not bytes, or a handler threw. */
  | { readonly kind: 'unreadable'; readonly error: unknown }
  /** The caller's signal. */
  | { readonly kind: 'aborted' }
  /** The status was not 200. The body has been dropped, unread but by `onRefused`. */
  | { readonly kind: 'status'; readonly status: number; readonly headers: Headers }
  /** The status was 200, but it is no event stream: `contentType` is what it says it is, null when it says nothing. */
  | { readonly kind: 'content_type'; readonly contentType: string | null }

/**
 * Makes one request for an event stream and reads it to its end (HTML Standard §9.2.2, §9.2.3; what comes after the end
 * is the caller's affair).
 *
 * Order: nothing is called before this returns; then `onOpen` once, then the stream's handlers in its order.
 * Ending: the promise resolves once, with what ended the attempt, and nothing is called after it.
 * Abort: from the moment on at which the signal is aborted no handler is called any more, not even for the rest of a
 * chunk, and the promise resolves at once with `aborted`, whether `fetch` heeds its signal or not.
 * Ownership: the body is read to its end or cancelled; no timer, listener or socket outlives the attempt.
 * Errors: never rejects and never throws.
 */
export function readEventStream(request: EventStreamRequest, handlers: AttemptHandlers): Promise<AttemptEnd> {
  const { signal } = request
  const controller = new AbortController()
  const attempt: Attempt = { signal: controller.signal }
  return new Promise((resolve) => {
    const finish = (end: AttemptEnd): void => {
      signal.removeEventListener('abort', onAbort)
      // The rest of a chunk in hand, the request, and the body: not every browser ends a request with its body.
      attempt.parser?.reset()
      controller.abort()
      attempt.body?.cancel().catch(() => {})
      resolve(end)
    }
    const onAbort = (): void => finish({ kind: 'aborted' })
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    // Of an attempt that was aborted this drops the response that came too late.
    else void read(request, handlers, attempt).then(finish)
  })
}

/** What is under way, for whoever has to end it. */
interface Attempt {
  /** The attempt's own: requests may keep listening to theirs until they are collected. */
  readonly signal: AbortSignal
  parser?: EventStreamParser
  body?: { cancel(): Promise<void> } | null
}

async function read(request: EventStreamRequest, handlers: AttemptHandlers, attempt: Attempt): Promise<AttemptEnd> {
  const { signal } = attempt
  const { url, fetch, method, body, credentials, lastEventId } = request
  let kind: 'network' | 'unreadable' = 'network'
  try {
    const response = await fetch(url, {
      method,
      body,
      credentials,
      mode: 'cors',
      cache: 'no-store',
      signal,
      headers: requestHeaders(request.headers, lastEventId),
    })
    attempt.body = response.body
    const { status, headers } = response
    const contentType = headers.get('content-type')
    if (status !== 200) {
      if (!signal.aborted) await handlers.onRefused?.(response)
      return { kind: 'status', status, headers }
    }
    if (!isEventStream(contentType)) return { kind: 'content_type', contentType }
    if (signal.aborted) return { kind: 'aborted' }
    kind = 'unreadable'
    const parser = (attempt.parser = new EventStreamParser(handlers, { ...request.limits, lastEventId }))
    handlers.onOpen(response, () => parser.reset())
    // A response without a body is one whose body is empty.
    if (!response.body) return { kind: 'ended' }
    const reader = (attempt.body = response.body.getReader())
    for (;;) {
      kind = 'unreadable'
      for (let pause; !signal.aborted && (pause = handlers.beforeRead?.());) await pause
      kind = 'network'
      const { done, value } = await reader.read()
      if (done || signal.aborted) return { kind: 'ended' }
      kind = 'unreadable'
      if (!ArrayBuffer.isView(value)) throw new TypeError('An event stream is made of bytes')
      if (value.length > 0) handlers.onBytes?.(value.length)
      if (!signal.aborted) parser.push(value)
    }
  } catch (error) {
    return { kind, error }
  }
}
