// A channel of the library better-sse, as its documentation shows it.
import { createChannel, createSession } from 'better-sse'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { listen } from './listen.ts'
import { readBody } from './read-body.ts'

const channel = createChannel()
let count = 0

listen((request, response) => {
  if (request.method === 'GET') void subscribe(request, response)
  else void publish(request, response)
})

async function subscribe(request: IncomingMessage, response: ServerResponse): Promise<void> {
  channel.register(await createSession(request, response))
}

async function publish(request: IncomingMessage, response: ServerResponse): Promise<void> {
  channel.broadcast(JSON.parse(await readBody(request)), 'message', { eventId: String(++count) })
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify({ id: count }))
}
