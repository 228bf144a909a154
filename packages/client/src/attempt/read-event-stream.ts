import type { EventStreamHandlers } from '@millrace/protocol'
import { isEventStream } from './content-type.ts'
import { readBody, type BodyEnd, type BodyLimits } from './read-body.ts'
import { requestHeaders } from './request-headers.ts'

/** The standard `fetch`, or one that adds something to it. It gets the headers as a plain object, which can be spread. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>

export interface FetchInit extends RequestInit {
  readonly headers: Record<string, string>
  readonly signal: AbortSignal
}

/** Everything that can be sent anew on each attempt, so no stream. */
export type RequestBody = Exclude<BodyInit, ReadableStream>

export interface EventStreamRequest {
  /** Absolute where the runtime has no base for URLs. */
  readonly url: string
  readonly fetch: Fetch
  /** @default 'GET' */
  readonly method?: string | undefined
  readonly headers?: HeadersInit | undefined
  readonly body?: RequestBody | undefined
  /** @default 'same-origin' */
  readonly credentials?: RequestCredentials | undefined
  /** The id to resume from; empty when there is none. Also the id that events have until the stream sends another. */
  readonly lastEventId: string
  /** Ends the attempt. One signal for each attempt: what listens to it is gone when the attempt has ended. */
  readonly signal: AbortSignal
  readonly limits?: BodyLimits | undefined
}

/** Who is told what happens, in the order in which it does. Handlers must not throw: that ends the attempt as `unreadable`. */
export interface AttemptHandlers extends EventStreamHandlers {
  /** The response is an event stream: called before anything is read of it. Its body belongs to the attempt. */
  onOpen(response: Response): void
  /** Bytes have come, of whatever kind: called before they are parsed. More than 0. */
  onBytes?(count: number): void
}

/** How an attempt has ended. */
export type AttemptEnd =
  | BodyEnd
  /** There is no response: `error` is what `fetch` was rejected with. */
  | { readonly kind: 'network'; readonly error: unknown; readonly opened: false }
  /** The status was not 200. The body has been dropped unread. */
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
 * Ownership: the body is always read to its end or cancelled; no timer, listener or socket outlives the attempt.
 * Errors: never rejects and never throws.
 */
export function readEventStream(request: EventStreamRequest, handlers: AttemptHandlers): Promise<AttemptEnd> {
  const { signal } = request
  return new Promise((resolve) => {
    const onAbort = (): void => resolve({ kind: 'aborted' })
    signal.addEventListener('abort', onAbort)
    const attempted = signal.aborted ? Promise.resolve<AttemptEnd>({ kind: 'aborted' }) : attempt(request, handlers)
    void attempted.then((end) => {
      signal.removeEventListener('abort', onAbort)
      resolve(end)
    })
  })
}

async function attempt(request: EventStreamRequest, handlers: AttemptHandlers): Promise<AttemptEnd> {
  const { signal } = request
  let response: Response
  try {
    // What `fetch` throws at once is told like what it rejects with; nobody is called before the caller has the promise.
    response = await startFetch(request)
  } catch (error) {
    return signal.aborted ? { kind: 'aborted' } : { kind: 'network', error, opened: false }
  }
  const { status, headers, body } = response
  const contentType = headers.get('content-type')
  const refusal = refusalOf(status, headers, contentType)
  if (signal.aborted || refusal) {
    drop(body)
    return refusal && !signal.aborted ? refusal : { kind: 'aborted' }
  }
  try {
    handlers.onOpen(response)
  } catch (error) {
    drop(body)
    return { kind: 'unreadable', error }
  }
  // A response without a body is one whose body is empty.
  return body ? readBody(body, handlers, request) : { kind: signal.aborted ? 'aborted' : 'ended' }
}

function startFetch({ url, fetch, method, headers, body, credentials, lastEventId, signal }: EventStreamRequest) {
  return fetch(url, {
    method: method ?? 'GET',
    headers: requestHeaders(headers, lastEventId),
    body: body ?? null,
    credentials: credentials ?? 'same-origin',
    mode: 'cors',
    cache: 'no-store',
    redirect: 'follow',
    signal,
  })
}

function refusalOf(status: number, headers: Headers, contentType: string | null): AttemptEnd | undefined {
  if (status !== 200) return { kind: 'status', status, headers }
  return isEventStream(contentType) ? undefined : { kind: 'content_type', contentType }
}

/** Lets the connection go; that it may be broken already is no news. */
function drop(body: ReadableStream | null): void {
  body?.cancel().catch(() => {})
}
