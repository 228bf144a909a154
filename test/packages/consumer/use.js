// Copied into an empty project and run there: everything that is published, by its plain names, on real connections.
import { EventSource } from '@millrace/client'
import { streamHandlerSuite } from '@millrace/conformance'
import { streams as fastifyStreams } from '@millrace/fastify'
import { startHubServer, defaultHubSettings } from '@millrace/hub'
import { streams as honoStreams } from '@millrace/hono'
import { createHub } from '@millrace/node'
import { encodeEvent } from '@millrace/protocol'
import { createHub as createEngine, memory } from '@millrace/server'
import { sqlite } from '@millrace/sqlite'
import { expectEvents } from '@millrace/testing'
import { fastify } from 'fastify'
import { Hono } from 'hono'
import assert from 'node:assert/strict'

assert.equal(encodeEvent({ data: 'one' }), 'data: one\n\n')
assert.ok(
  streamHandlerSuite({ name: 'x', wire: 'http/2', start: () => Promise.reject(new Error('never run')) }).length > 20,
)

/** A hub in a file, in Fastify, with our own client. */
async function useFastify() {
  const hub = createHub({ backend: sqlite('./events.db') })
  const app = fastify()
  app.get('/events', fastifyStreams(hub))
  app.addHook('preClose', () => hub.close({ drainMs: 0 }))
  const source = new EventSource(`${await app.listen({ host: '127.0.0.1', port: 0 })}/events?topic=a`)
  await new Promise((resolve) => source.addEventListener('open', resolve))
  await hub.publish({ topic: 'a', type: 'note', data: 'in Fastify' })
  await expectEvents(source, [{ type: 'note', data: 'in Fastify' }])
  source.close()
  await app.close()
}

/** A hub in memory, in Hono, read as a response. */
async function useHono() {
  const hub = createEngine({ backend: memory() })
  const app = new Hono()
  app.get('/events', honoStreams(hub))
  await hub.ready()
  const response = await app.request('/events')
  await hub.publish({ topic: 'a', data: 'in Hono' })
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += new TextDecoder().decode(chunk)
    if (text.includes('data: in Hono\n')) break
  }
  await hub.close({ drainMs: 0 })
}

/** The standalone hub, with a publisher of any language. */
async function useHub() {
  const server = await startHubServer({ ...defaultHubSettings, port: 0 })
  const response = await fetch(`${server.url}/events`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"topic":"a","data":1}',
  })
  assert.equal(response.status, 200)
  await server.close({ drainMs: 0 })
}

await useFastify()
await useHono()
await useHub()
process.stdout.write('used\n')
