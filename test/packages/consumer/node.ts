// Copied into an empty project and compiled there with the types of Node alone: all but the client, which has a file of its own.
import { eventLogSuite, streamHandlerSuite } from '@millrace/conformance'
import { streams as fastifyStreams } from '@millrace/fastify'
import { startHubServer, type HubServer } from '@millrace/hub'
import { streams as honoStreams } from '@millrace/hono'
import { createChannel, createHub, createSession, memory, sseHeaders, type NodeHub } from '@millrace/node'
import { encodeEvent, EventStreamParser } from '@millrace/protocol'
import { createHub as createEngine, type EventLog } from '@millrace/server'
import type { CheckSource } from '@millrace/server/log-parts'
import { sqlite } from '@millrace/sqlite'
import { startFaultServer } from '@millrace/testing'
import { resilienceFixtures } from '@millrace/testing/playwright'
import { fastify } from 'fastify'
import { Hono } from 'hono'
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'

interface Events {
  readonly tick: { readonly price: number }
}

export const hub: NodeHub = createHub({ backend: memory(), heartbeatMs: 15_000 })
export const typed: NodeHub<Events & Record<string, unknown>> = createHub({ backend: sqlite('./typed.db') })
export const channel = createChannel({ historyCount: 10 })

const handle = hub.handler({ authorize: ({ headers }) => (headers.cookie ? { subscribe: ['>'] } : { status: 401 }) })
createServer((request, response) => void handle(request, response))
createHttp2Server((request, response) => void channel.subscribe(request, response))
createServer((request, response) => sseHeaders(request, response))

const app = fastify()
app.get('/events', fastifyStreams(hub, { authorize: (request) => ({ subscribe: [request.url] }) }))
new Hono().get('/events', honoStreams(hub, { authorize: (context) => ({ subscribe: [context.req.path] }) }))

export async function answer(...exchange: Parameters<typeof createSession>): Promise<void> {
  const session = await createSession(...exchange)
  session.send({ type: 'tick', data: { price: 187.2 } satisfies Events['tick'] })
}

export async function read(): Promise<void> {
  const engine = createEngine<{ tick: { price: number } }>({ backend: memory() })
  await engine.publish({ topic: 'stocks.AAPL', type: 'tick', data: { price: 187.2 } })
  // @ts-expect-error: the data of a tick is a price
  await engine.publish({ topic: 'stocks.AAPL', type: 'tick', data: { prise: 187.2 } })
  for await (const event of engine.subscribe({ topics: ['stocks.*'] })) {
    if (event.kind === 'event')
      new EventStreamParser({ onEvent: () => undefined }).push(
        new TextEncoder().encode(encodeEvent({ data: JSON.stringify(event.data) })),
      )
  }
}

export const parts: { log: EventLog; check: CheckSource } | undefined = undefined
export const suites = { eventLogSuite, streamHandlerSuite, resilienceFixtures, startFaultServer }
export const start: (...args: Parameters<typeof startHubServer>) => Promise<HubServer> = startHubServer
