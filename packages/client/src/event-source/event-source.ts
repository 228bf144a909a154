import type { ParsedEvent } from '@millrace/protocol'
import type { AttemptEnd } from '../attempt/read-event-stream.ts'
import { MAX_DELAY_MS, systemClock } from '../clock.ts'
import { setHandler, type EventHandlers } from './event-handlers.ts'
import type { EventSourceInit } from './event-source-init.ts'
import { feedByHttp, STREAM_URL } from './feed-by-http.ts'
import type { Feed } from './feed.ts'
import { resolveUrl } from './resolve-url.ts'
import { StreamMessage } from './stream-message.ts'
import type { ListenerObject, ListenOptions, TextMessageEvent } from '../web-types.ts'

const CONNECTING = 0
const OPEN = 1
const CLOSED = 2

/** A plain `error` event that also says why; the standard's does not. */
export interface EventSourceErrorEvent extends Event {
  /** What ended the connection. Its `kind` says which of the other properties it has, such as `status` or `error`. */
  readonly reason: AttemptEnd
}

/** What is dispatched on an `EventSource` by itself. Events of other types are `MessageEvent`s of the name that the stream gives. */
export interface EventSourceEventMap {
  open: Event
  message: TextMessageEvent
  error: EventSourceErrorEvent
}

/**
 * The `EventSource` of browsers (HTML Standard §9.2), on `fetch`, wherever there is one.
 *
 * Without options it does what the standard says, to the letter: it comes back after a lost connection, not before the
 * reconnection time has passed, and with the last event's id; any status but 200 and any type but `text/event-stream` end it.
 * What is beyond the standard has to be asked for by {@link EventSourceInit}.
 *
 * @example
 * const source = new EventSource('https://example.com/events', { headers: { Authorization: `Bearer ${token}` } })
 * source.onmessage = ({ data, lastEventId }) => show(data, lastEventId)
 * source.onerror = ({ reason }) => report(source.readyState === EventSource.CLOSED ? 'closed' : 'reconnecting', reason.kind)
 */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the interface below declares what is inherited
export class EventSource extends EventTarget {
  declare static readonly CONNECTING: 0
  declare static readonly OPEN: 1
  declare static readonly CLOSED: 2
  declare readonly CONNECTING: 0
  declare readonly OPEN: 1
  declare readonly CLOSED: 2
  declare readonly [Symbol.toStringTag]: 'EventSource'

  /**
   * Reads events from a stream of bytes, as whatwg/html's pull request 12272 proposes it: a response's body, for instance,
   * when the request was made by hand. Such a source never comes back by itself: an `error` with `CLOSED` is its end.
   *
   * @throws TypeError when the stream is locked.
   */
  static fromReadableStream(stream: ReadableStream<Uint8Array>): EventSource {
    const reader = stream.getReader()
    const body = Object.assign(reader, { getReader: () => reader })
    const response = { status: 200, headers: new Headers({ 'content-type': 'text/event-stream' }), body }
    // In a task of its own, as a response from the network comes: who creates the source has time to listen to it.
    const fetch = (): Promise<Response> =>
      new Promise((resolve) => systemClock.after(0, () => resolve(response as unknown as Response)))
    return new EventSource(STREAM_URL, { fetch })
  }

  readonly #url: string
  readonly #withCredentials: boolean
  readonly #handlers: EventHandlers = new Map()
  readonly #feed: Feed
  readonly #closing = new AbortController()
  #reset = (): void => {}
  #readyState: 0 | 1 | 2 = CONNECTING

  /**
   * Connects at once.
   *
   * @param url resolved against the base of the document or worker; absolute where there is none.
   * @throws DOMException `SyntaxError` when `url` is not a URL.
   * @throws TypeError without a `url`, or when it, `method`, `headers` or `body` cannot be sent: `fetch` may refuse a user name in a URL.
   */
  constructor(url: string | URL, init: EventSourceInit | null = null) {
    super()
    if (arguments.length === 0) throw new TypeError('EventSource: no URL')
    const { fetch = globalThis.fetch, headers = {}, body = null, backoff, withCredentials, signal: outer } = init ?? {}
    const { method = body === null ? 'GET' : 'POST' } = init ?? {}
    const { signal } = this.#closing
    this.#url = resolveUrl(`${url}`)
    this.#withCredentials = !!withCredentials
    this.#feed = this.#createFeed()
    // Throws for what `fetch` would reject: an attempt that can never succeed would be repeated for ever.
    void new Request(this.#url, { method, headers, body })
    const credentials = this.#withCredentials ? 'include' : 'same-origin'
    const request = { url: this.#url, fetch, method, headers, body, credentials, signal } as const
    // Taken off by hand: with the option `signal` some Node forgets to.
    const onAbort = (): void => this.close()
    outer?.addEventListener('abort', onAbort)
    signal.addEventListener('abort', () => outer?.removeEventListener('abort', onAbort))
    if (outer?.aborted) this.close()
    feedByHttp(request, backoff, this.#feed, systemClock)
  }

  /** The URL as it was resolved, with its fragment. It stays the same over redirects. */
  get url(): string {
    return this.#url
  }

  get withCredentials(): boolean {
    return this.#withCredentials
  }

  /** `CONNECTING` (0), also while waiting to reconnect; `OPEN` (1); `CLOSED` (2), for good. */
  get readyState(): 0 | 1 | 2 {
    return this.#readyState
  }

  /** The id that a reconnection resumes from: of the last event that had one, empty when there is none. Beyond the standard. */
  get lastEventId(): string {
    return this.#feed.lastEventId
  }

  /** How long to wait before a reconnection: 3 seconds until the stream sets it by `retry`. Milliseconds. Beyond the standard. */
  get reconnectionTime(): number {
    return this.#feed.reconnectionTimeMs
  }

  /** Ends it for good. Nothing is dispatched after it. */
  close(): void {
    this.#readyState = CLOSED
    this.#closing.abort()
  }

  /**
   * Forgets what is unfinished of the stream, as when another one is piped in behind it; `lastEventId` and
   * `reconnectionTime` stay. Called by a listener, it also drops the rest of the chunk in hand. Proposed with
   * {@link EventSource.fromReadableStream}.
   */
  reset(): void {
    this.#reset()
  }

  #createFeed(): Feed {
    let origin: string
    const feed = {
      lastEventId: '',
      /** A few seconds, says the standard: Chromium's. */
      reconnectionTimeMs: 3000,
      onOpen: ({ url }: Response, reset: () => void) => {
        this.#reset = reset
        // A response that was made by hand has no URL.
        origin = new URL(url || this.#url).origin
        this.#readyState = OPEN
        this.dispatchEvent(new Event('open'))
      },
      onEvent: ({ type, data, lastEventId }: ParsedEvent) =>
        void this.dispatchEvent(new StreamMessage(type, data, lastEventId, origin)),
      onId: (id: string) => void (feed.lastEventId = id),
      onRetry: (retryMs: number) => void (feed.reconnectionTimeMs = Math.min(retryMs, MAX_DELAY_MS)),
      onEnd: (reason: AttemptEnd, isFinal: boolean) => {
        if (isFinal) this.close()
        else this.#readyState = CONNECTING
        this.dispatchEvent(Object.assign(new Event('error'), { reason }))
      },
    }
    return feed
  }

  static {
    for (const type of ['open', 'message', 'error']) {
      Object.defineProperty(this.prototype, `on${type}`, {
        get(this: EventSource) {
          return this.#handlers.get(type)?.value ?? null
        },
        set(this: EventSource, value: unknown) {
          setHandler(this, this.#handlers, type, value)
        },
        configurable: true,
      })
    }
    // Web IDL has members that are enumerable and constants that are fixed; classes have neither.
    for (const name of Object.getOwnPropertyNames(this.prototype)) {
      if (name !== 'constructor') Object.defineProperty(this.prototype, name, { enumerable: true })
    }
    Object.defineProperty(this, 'fromReadableStream', { enumerable: true })
    // Whatever a bundler calls it.
    Object.defineProperty(this, 'name', { value: 'EventSource' })
    for (const [name, value] of Object.entries({ CONNECTING, OPEN, CLOSED })) {
      Object.defineProperty(this, name, { value, enumerable: true })
      Object.defineProperty(this.prototype, name, { value, enumerable: true })
    }
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'EventSource', configurable: true })
  }
}

// For the compiler alone: the methods are inherited, and the attributes are made above. Read, a handler is one that can be called
// on any source, so that this class goes where the browser's own does.
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging
export interface EventSource {
  /** The connection is there; called again after each reconnection. */
  get onopen(): ((event: Event) => unknown) | null
  set onopen(handler: ((this: EventSource, event: Event) => unknown) | null)
  /** An event without a type of its own. */
  get onmessage(): ((event: MessageEvent) => unknown) | null
  set onmessage(handler: ((this: EventSource, event: TextMessageEvent) => unknown) | null)
  /** The connection is lost: for good when `readyState` is `CLOSED`. */
  get onerror(): ((event: Event) => unknown) | null
  set onerror(handler: ((this: EventSource, event: EventSourceErrorEvent) => unknown) | null)
  addEventListener<K extends keyof EventSourceEventMap>(
    type: K,
    listener: (this: EventSource, event: EventSourceEventMap[K]) => unknown,
    options?: ListenOptions,
  ): void
  addEventListener(
    type: string,
    listener: ((this: EventSource, event: TextMessageEvent) => unknown) | ListenerObject | null,
    options?: ListenOptions,
  ): void
  removeEventListener<K extends keyof EventSourceEventMap>(
    type: K,
    listener: (this: EventSource, event: EventSourceEventMap[K]) => unknown,
    options?: ListenOptions,
  ): void
  removeEventListener(
    type: string,
    listener: ((this: EventSource, event: TextMessageEvent) => unknown) | ListenerObject | null,
    options?: ListenOptions,
  ): void
}
