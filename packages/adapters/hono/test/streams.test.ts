import { serve } from '@hono/node-server'
import { createHub as createNodeHub } from '@millrace/node'
import { createChannel, createHub, memory, type Hub } from '@millrace/server'
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { secureHeaders } from 'hono/secure-headers'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { openStream, type OpenStream } from '../../../node/test/support/open-stream.ts'
import { readBody } from '../../../server/test/support/read-body.ts'
import { createSession, fetchRoute, streams, type StreamSource } from '../src/index.ts'

const closing: (() => void | Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

function closed<Closable extends { close(options: { drainMs: number }): Promise<void> }>(one: Closable): Closable {
  closing.push(() => one.close({ drainMs: 0 }))
  return one
}

/** Serves an application on Node until the test is over. */
async function listen(app: { fetch: Hono['fetch'] }): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<AddressInfo>()
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, resolve)
  closing.push(() => void server.close())
  return `http://127.0.0.1:${(await promise).port}`
}

async function open(url: string, headers?: Record<string, string>): Promise<OpenStream> {
  const stream = await openStream(url, headers)
  closing.unshift(() => stream.close())
  return stream
}

const hubs: Record<string, () => Hub & StreamSource> = {
  'as a response': () => closed(createHub({ backend: memory() })),
  'on the objects of Node': () => closed(createNodeHub({ backend: memory() })),
}

describe.each(Object.entries(hubs))('a stream %s', (way, createOne) => {
  test('keeps what middleware has set before it: CORS headers, cookies, and what the answer varies with', async () => {
    const app = new Hono()
    app.use(cors({ origin: 'https://example.org', credentials: true }))
    app.use(async (context, next) => {
      context.header('set-cookie', 'a=1', { append: true })
      context.header('set-cookie', 'b=2', { append: true })
      context.header('vary', 'Cookie', { append: true })
      await next()
    })
    app.get('/events', streams(createOne()))
    const { response } = await open(`${await listen(app)}/events`, { Origin: 'https://example.org' })
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': 'https://example.org',
      'access-control-allow-credentials': 'true',
      'content-type': 'text/event-stream',
      'set-cookie': ['a=1', 'b=2'],
    })
    const varied = String(response.headers.vary).toLowerCase().split(/, */)
    expect(varied).toEqual(expect.arrayContaining(['accept', 'origin', 'cookie']))
  })

  test('lives with middleware that sets headers after it', async () => {
    const app = new Hono()
    const hub = createOne()
    app.use(secureHeaders())
    app.get('/events', streams(hub))
    const stream = await open(`${await listen(app)}/events`)
    await stream.next('stream:connected')
    await hub.publish({ topic: 'a', type: 'seen', data: 1 })
    await stream.next('seen')
    const isSet = stream.response.headers['x-content-type-options'] === 'nosniff'
    expect(isSet).toBe(way === 'as a response')
  })

  test('is opened by POST, and polled', async () => {
    const app = new Hono()
    const hub = createOne()
    app.on(['GET', 'POST'], '/events', streams(hub))
    const url = `${await listen(app)}/events`
    const headers = { 'Content-Type': 'application/json' }
    const response = await fetch(url, { method: 'POST', headers, body: '{"topic":["a"]}' })
    await hub.publish([
      { topic: 'b', data: 'hidden' },
      { topic: 'a', data: 'seen' },
    ])
    const text = await readBody(response, 'seen')
    expect([response.headers.get('content-type'), text.includes('hidden')]).toEqual(['text/event-stream', false])
    const poll = await fetch(`${url}?topic=a&from=earliest`, { headers: { Accept: 'application/json' } })
    expect(await poll.json()).toMatchObject({ events: [{ topic: 'a', data: 'seen' }], reset: null })
  })

  test('is granted by what Hono knows of the request', async () => {
    const app = new Hono<{ Variables: { user: string } }>()
    const hub = createOne()
    app.use(async (context, next) => {
      context.set('user', context.req.header('x-user') ?? '')
      await next()
    })
    app.get(
      '/rooms/:room',
      streams(hub, {
        authorize: (context) =>
          context.get('user') === 'alice'
            ? { subscribe: [context.req.param('room') ?? ''] }
            : { status: 403, detail: 'Alice only.' },
      }),
    )
    const url = `${await listen(app)}/rooms/blue`
    const stream = await open(url, { 'X-User': 'alice' })
    await hub.publish([
      { topic: 'red', type: 'hidden', data: 1 },
      { topic: 'blue', type: 'seen', data: 2 },
    ])
    await stream.next('seen')
    expect(stream.text).not.toContain('hidden')
    const refused = await fetch(url, { headers: { 'X-User': 'bob' } })
    expect([refused.status, await refused.json()]).toEqual([403, expect.objectContaining({ detail: 'Alice only.' })])
  })

  test('that cannot be decided on is answered with 500, and told', async () => {
    const app = new Hono()
    const faults: unknown[] = []
    const fault = new Error('secret')
    const authorize = () => Promise.reject(fault)
    app.get('/events', streams(createOne(), { authorize, onError: (error) => faults.push(error) }))
    const response = await fetch(`${await listen(app)}/events`)
    expect([response.status, (await response.text()).includes('secret')]).toEqual([500, false])
    expect(faults).toEqual([fault])
  })
})

describe.each([
  ['no environment', undefined],
  ['bindings', { DB: {} }],
  ['an incoming and an outgoing of another kind', { incoming: {}, outgoing: {} }],
])('where there is %s', (_what, env) => {
  test('a stream is a response', async () => {
    const app = new Hono()
    app.get('/events', streams(closed(createNodeHub({ backend: memory() }))))
    const response = await app.request('/events', {}, env)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(await readBody(response, 'stream:connected')).toContain('retry: ')
  })
})

test('a channel is served by its handler', async () => {
  const app = new Hono()
  const channel = closed(createChannel())
  app.get('/news', fetchRoute(channel.subscribe))
  const response = await app.request('/news')
  expect(channel.broadcast({ type: 'note', data: 'hello' })).toBe(1)
  expect(await readBody(response, 'hello')).toContain('event: note\n')
})

test('a session is a response', async () => {
  const app = new Hono()
  app.get('/words', (context) => {
    const { session, response } = createSession(context, { headers: { 'X-Mine': 'yes' } })
    session.send({ type: 'token', data: 'one' })
    session.close()
    return response
  })
  const response = await app.request('/words')
  expect(response.headers.get('x-mine')).toBe('yes')
  expect(await response.text()).toContain('id: 1\nevent: token\ndata: one\n\n')
})

test('a slip in the name of `authorize` does not let everybody in: the route is refused', () => {
  const hub = closed(createHub({ backend: memory() }))
  const slip = { authorise: () => ({ status: 401 }) } as object
  expect(() => streams(hub, slip)).toThrow('no option "authorise". Did you mean "authorize"?')
  for (const authorize of [null, false, '', 0]) {
    expect(() => streams(hub, { authorize } as object)).toThrow('it must be a function')
  }
})
