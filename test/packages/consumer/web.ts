// Copied into an empty project and compiled there with the types of the web alone: what has to run without Node.
import { connect, EventSource } from '@millrace/client'
import { encodeEvent, EventStreamParser } from '@millrace/protocol'
import { createChannel, createHub, createSession, memory, type FetchHandler } from '@millrace/server'

const hub = createHub<{ tick: { price: number } }>({ backend: memory() })
export const handle: FetchHandler = hub.fetchHandler({
  authorize: ({ headers }) => (headers.has('authorization') ? { subscribe: ['>'] } : { status: 401 }),
})
export const channel = createChannel()
export const parser = new EventStreamParser({ onEvent: ({ data }) => encodeEvent({ data }) })

export function answer(request: Request): Response {
  const { session, response } = createSession(request)
  session.close()
  return response
}

export function listen(show: (data: string) => void): () => void {
  const source = new EventSource('/events')
  source.addEventListener('tick', ({ data }) => show(data))
  // What was written for the browser's own class goes on compiling.
  const onMessage = (event: MessageEvent<string>): void => show(event.data + event.ports.length)
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- it is what is tried
  source.onmessage = onMessage
  source.addEventListener('tick', onMessage)
  source.addEventListener('tick', (event: MessageEvent) => show(event.lastEventId))
  source.addEventListener('tick', (event) => event.preventDefault(), { passive: true })
  const listener: EventListenerObject = { handleEvent: (event) => show(event.type) }
  source.addEventListener('open', () => source.removeEventListener('tick', listener))
  return () => source.close()
}

export function follow(
  headers: HeadersInit,
  credentials: RequestCredentials,
  body: Exclude<BodyInit, ReadableStream>,
): void {
  connect('/events', { headers, credentials, fetch })
  new EventSource('/events', { headers, body, fetch, withCredentials: credentials === 'include' }).close()
}
