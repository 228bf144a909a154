import {
  readEventStream,
  type AttemptHandlers,
  type EventStreamRequest,
  type Fetch,
} from '../../src/attempt/read-event-stream.ts'

export const EVENT_STREAM = { 'content-type': 'text/event-stream' }

type AttemptOptions = Partial<EventStreamRequest> &
  Pick<AttemptHandlers, 'onRefused'> & { readonly on?: (note: string) => void }

/** One attempt, with a `fetch` that answers as told, and notes of all that was called. */
export function attempt(fetch: Fetch, options: AttemptOptions = {}) {
  const notes: string[] = []
  const controller = new AbortController()
  const note = (text: string): void => {
    notes.push(text)
    options.on?.(text)
  }
  const handlers: AttemptHandlers = {
    onOpen: ({ status }) => note(`open ${status}`),
    onBytes: (count) => note(`bytes ${count}`),
    onEvent: ({ type, data, lastEventId }) => note(`${type} ${data} ${lastEventId}`.trim()),
    onId: (id) => note(`id ${id}`),
    onRetry: (retryMs) => note(`retry ${retryMs}`),
    onComment: (text) => note(`: ${text}`),
    ...(options.onRefused && { onRefused: options.onRefused }),
  }
  const request: EventStreamRequest = {
    url: 'http://test.invalid/',
    fetch,
    method: 'GET',
    body: null,
    credentials: 'same-origin',
    lastEventId: '',
    signal: controller.signal,
    ...options,
  }
  const listeners = countListeners(request.signal)
  return { notes, controller, listeners, end: readEventStream(request, handlers) }
}

function countListeners(signal: AbortSignal): { readonly count: number } {
  let count = 0
  const { addEventListener, removeEventListener } = signal
  signal.addEventListener = (...rest: Parameters<typeof addEventListener>) => {
    count++
    addEventListener.apply(signal, rest)
  }
  signal.removeEventListener = (...rest: Parameters<typeof removeEventListener>) => {
    count--
    removeEventListener.apply(signal, rest)
  }
  return {
    get count() {
      return count
    },
  }
}

/** A body that the test writes by hand. */
export function manualBody() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let cancelled = false
  const stream = new ReadableStream<Uint8Array>({
    start: (own) => void (controller = own),
    cancel: () => void (cancelled = true),
  })
  return {
    stream,
    write: (text: string) => controller?.enqueue(new TextEncoder().encode(text)),
    end: () => controller?.close(),
    break: (error: unknown) => controller?.error(error),
    get cancelled() {
      return cancelled
    },
  }
}

export const answer =
  (body: BodyInit | null, init: ResponseInit = { headers: EVENT_STREAM }): Fetch =>
  async () =>
    new Response(body, init)
