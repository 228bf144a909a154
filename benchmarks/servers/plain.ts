// What one writes by hand: a set of responses and `response.write`. The event is encoded once, to a buffer, which is
// the cheapest that `write` can be given.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { listen } from './listen.ts'
import { readBody } from './read-body.ts'

const clients = new Set<ServerResponse>()
let count = 0

listen((request, response) => {
  if (request.method === 'GET') subscribe(response)
  else void publish(request, response)
})

function subscribe(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
  response.write(': ok\n\n')
  clients.add(response)
  response.on('close', () => clients.delete(response))
}

async function publish(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const data: unknown = JSON.parse(await readBody(request))
  const event = Buffer.from(`id: ${++count}\ndata: ${JSON.stringify(data)}\n\n`)
  for (const client of clients) client.write(event)
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify({ id: count }))
}
