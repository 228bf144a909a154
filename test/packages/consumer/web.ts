// Copied into an empty project and compiled there with the types of the web alone: what has to run without Node.
import { EventSource } from '@millrace/client'
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
  return () => source.close()
}
