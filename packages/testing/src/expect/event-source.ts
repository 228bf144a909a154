import { EventStreamParser } from '@millrace/protocol'
import { ExpectationError, TestingError } from '../testing-error.ts'
import type { SourceEvent } from './received-event.ts'

const CLOSED = 2

/** What is used of a browser's `EventSource`, and of anything that does as it does. */
export interface EventSourceLike {
  /** 2 when it will never come back: the end of the source. */
  readonly readyState?: number
  addEventListener(type: string, listener: (event: unknown) => void): void
  removeEventListener(type: string, listener: (event: unknown) => void): void
}

/** What an async iterable may give, all of one kind: bytes or text of a stream, or events that somebody else has parsed. */
export type StreamPart = Uint8Array | string | IteratedEvent

/** The event of a client that is iterated over. */
export interface IteratedEvent {
  readonly type?: string | undefined
  readonly data: unknown
  /** `id` wins over `lastEventId`. */
  readonly id?: string | undefined
  readonly lastEventId?: string | undefined
  readonly topic?: string | undefined
}

/**
 * Where events come from: a URL, which is fetched once; the `Response` of a `fetch` with headers of your own; a body; a
 * client that is iterated over; an `EventSource` or one of its kind.
 */
export type EventSourceInput =
  | string
  | URL
  | Response
  | Promise<Response>
  | ReadableStream<Uint8Array>
  | AsyncIterable<StreamPart>
  | EventSourceLike

export interface SourceHandlers {
  onEvent(event: SourceEvent): void
  /** Nothing more will come: the source has ended, or failed. Called once. */
  onEnd(error?: unknown): void
}

/**
 * Reads a source until it ends or the signal is aborted. What was opened here is closed here; an `EventSource` that was
 * given stays open, an iterator is told to `return`.
 *
 * @param types what to listen for on an `EventSource`, which has no way to say "everything"
 */
export function readSource(
  source: EventSourceInput,
  types: readonly string[],
  handlers: SourceHandlers,
  signal: AbortSignal,
): void {
  if (isEventSource(source)) listen(source, types, handlers, signal)
  else void readAll(source, handlers, signal)
}

function listen(
  source: EventSourceLike,
  types: readonly string[],
  handlers: SourceHandlers,
  signal: AbortSignal,
): void {
  const onEvent = (event: unknown): void => {
    if (isIterated(event)) handlers.onEvent(fromIterated(event))
  }
  const onError = (): void => {
    if (source.readyState === CLOSED) handlers.onEnd()
  }
  source.addEventListener('error', onError)
  for (const type of new Set(types)) source.addEventListener(type, onEvent)
  signal.addEventListener('abort', () => {
    source.removeEventListener('error', onError)
    for (const type of new Set(types)) source.removeEventListener(type, onEvent)
  })
}

async function readAll(
  source: Exclude<EventSourceInput, EventSourceLike>,
  handlers: SourceHandlers,
  signal: AbortSignal,
): Promise<void> {
  try {
    const parts = await open(source, signal)
    await iterate(parts, handlers, signal)
    handlers.onEnd()
  } catch (error) {
    // An end that was asked for is none to tell of.
    handlers.onEnd(signal.aborted ? undefined : error)
  }
}

async function open(
  source: Exclude<EventSourceInput, EventSourceLike>,
  signal: AbortSignal,
): Promise<AsyncIterable<StreamPart>> {
  if (typeof source === 'string' || source instanceof URL) {
    return bodyOf(await fetch(source, { headers: { Accept: 'text/event-stream' }, signal }))
  }
  const opened = await source
  if (opened instanceof Response) return bodyOf(opened)
  if (Symbol.asyncIterator in opened) return opened as AsyncIterable<StreamPart>
  throw new TestingError(
    'invalid_option',
    `${String(opened)} is no source of events: give a URL, a Response, a stream, an async iterable or an EventSource.`,
  )
}

function bodyOf(response: Response): AsyncIterable<Uint8Array> {
  const type = response.headers.get('content-type') ?? 'none'
  const essence = type.split(';')[0]?.trim().toLowerCase()
  if (response.status === 200 && essence === 'text/event-stream' && response.body) return response.body
  const actual = `status ${response.status}, Content-Type ${type}`
  throw new ExpectationError(`${response.url || 'The response'} is no event stream: ${actual}.`, {
    actual,
    expected: 'status 200, Content-Type text/event-stream',
  })
}

async function iterate(parts: AsyncIterable<StreamPart>, handlers: SourceHandlers, signal: AbortSignal): Promise<void> {
  const parser = new EventStreamParser({
    onEvent: ({ type, data, lastEventId, topic }) => handlers.onEvent({ type, data, id: lastEventId, topic }),
  })
  const encoder = new TextEncoder()
  const iterator = parts[Symbol.asyncIterator]()
  // A `return` waits for a `next` that may never come: nobody waits for it.
  const stop = (): void => void iterator.return?.().catch(() => undefined)
  signal.addEventListener('abort', stop, { once: true })
  for (;;) {
    const { done, value } = await iterator.next()
    if (done === true || signal.aborted) return
    if (value instanceof Uint8Array) parser.push(value)
    else if (typeof value === 'string') parser.push(encoder.encode(value))
    else handlers.onEvent(fromIterated(value))
  }
}

function fromIterated({ type, data, id, lastEventId, topic }: IteratedEvent): SourceEvent {
  return { type: type ?? 'message', data, id: id ?? lastEventId ?? '', topic }
}

/** An event without data, such as the plain `error` of a lost connection, came from no stream. */
function isIterated(event: unknown): event is IteratedEvent {
  return typeof event === 'object' && event !== null && 'data' in event
}

function isEventSource(source: EventSourceInput): source is EventSourceLike {
  return typeof source === 'object' && 'addEventListener' in source && !(Symbol.asyncIterator in source)
}
