import { createChannel, createHub, memory, type NodeHub } from '@millrace/node'
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { openStream, type OpenStream } from '../../../node/test/support/open-stream.ts'
import { readBody } from '../../../server/test/support/read-body.ts'
import { createSession, nodeRoute, streams } from '../src/index.ts'

const closing: (() => Promise<unknown>)[] = []

function hubOf(): NodeHub {
  const hub = createHub({ backend: memory() })
  closing.push(() => hub.close({ drainMs: 0 }))
  return hub
}

async function listen(app: FastifyInstance): Promise<string> {
  closing.push(() => app.close())
  return app.listen({ host: '127.0.0.1', port: 0 })
}

async function open(url: string, headers?: Record<string, string>): Promise<OpenStream> {
  const stream = await openStream(url, headers)
  closing.unshift(async () => stream.close())
  return stream
}

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

describe('a stream of a hub', () => {
  test('keeps what hooks have set on the reply: headers, cookies, and what the answer varies with', async () => {
    const app = fastify()
    app.addHook('onRequest', async (_request, reply) => {
      reply.headers({ 'Access-Control-Allow-Origin': 'https://example.org', Vary: 'Origin, Cookie' })
      reply.header('Set-Cookie', 'a=1').header('Set-Cookie', 'b=2')
    })
    app.get('/events', streams(hubOf()))
    const { response } = await open(`${await listen(app)}/events`)
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': 'https://example.org',
      'content-type': 'text/event-stream',
      'set-cookie': ['a=1', 'b=2'],
      vary: 'Origin, Cookie, Accept',
    })
  })

  test('is opened by POST, with the body that Fastify has read', async () => {
    const app = fastify()
    const hub = hubOf()
    app.post('/events/stream', streams(hub))
    const url = `${await listen(app)}/events/stream`
    const ask = (body: string): Promise<Response> =>
      fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
    const response = await ask('{"topic":["a"]}')
    await hub.publish([
      { topic: 'b', data: 'hidden' },
      { topic: 'a', data: 'seen' },
    ])
    const text = await readBody(response, 'seen')
    expect([response.headers.get('content-type'), text.includes('hidden')]).toEqual(['text/event-stream', false])
    expect((await ask('{"topics":["a"]}')).status).toBe(400)
  })

  test('is granted by what Fastify knows of the request', async () => {
    const app = fastify()
    app.decorateRequest('userName', '')
    app.addHook('onRequest', async (request) => {
      request.setDecorator('userName', request.headers['x-user'])
    })
    const authorize = (request: FastifyRequest<{ Params: { room: string } }>) =>
      request.getDecorator('userName') === 'alice'
        ? { subscribe: [request.params.room] }
        : ({ status: 403, detail: 'Alice only.' } as const)
    const hub = hubOf()
    app.get<{ Params: { room: string } }>('/rooms/:room', streams(hub, { authorize }))
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
    const app = fastify()
    const faults: unknown[] = []
    const fault = new Error('secret')
    const authorize = () => Promise.reject(fault)
    app.get('/events', streams(hubOf(), { authorize, onError: (error) => faults.push(error) }))
    const response = await fetch(`${await listen(app)}/events`)
    expect([response.status, (await response.text()).includes('secret')]).toEqual([500, false])
    expect(faults).toEqual([fault])
  })

  test('runs the hooks for what was answered, and holds up no shutdown that closes the hub first', async () => {
    const app = fastify()
    const hub = hubOf()
    const answered: number[] = []
    app.addHook('onResponse', async (_request, reply) => {
      answered.push(reply.raw.statusCode)
    })
    app.addHook('preClose', () => hub.close({ drainMs: 0 }))
    app.get('/events', streams(hub))
    const stream = await open(`${await listen(app)}/events`)
    await stream.next('stream:connected')
    await app.close()
    await stream.ended
    expect(stream.text).toContain('event: stream:shutdown\n')
    await expect.poll(() => answered).toEqual([200])
  })
})

test('a channel is served by its handler', async () => {
  const app = fastify()
  const channel = createChannel()
  closing.push(() => channel.close({ drainMs: 0 }))
  app.get('/news', nodeRoute(channel.subscribe))
  const stream = await open(`${await listen(app)}/news`)
  await stream.next('stream:connected')
  expect(channel.broadcast({ type: 'note', data: 'hello' })).toBe(1)
  expect(await stream.next('note')).toMatchObject({ data: 'hello' })
})

test('a session takes headers of its own and those of the reply', async () => {
  const app = fastify()
  app.get('/clock', async (request, reply) => {
    void reply.header('X-Set', 'before')
    const session = await createSession(request, reply, { headers: { 'X-Mine': 'yes' } })
    session.send({ type: 'tick', data: { at: 1 } })
    session.close()
  })
  const response = await fetch(`${await listen(app)}/clock`)
  expect([response.headers.get('x-set'), response.headers.get('x-mine')]).toEqual(['before', 'yes'])
  expect(await response.text()).toContain('id: 1\nevent: tick\ndata: {"at":1}\n\n')
})

test('a slip in the name of `authorize` does not let everybody in: the route is refused', () => {
  const slip = { authorise: () => ({ status: 401 }) } as object
  expect(() => streams(hubOf(), slip)).toThrow('no option "authorise". Did you mean "authorize"?')
  for (const authorize of [null, false, '', 0]) {
    expect(() => streams(hubOf(), { authorize } as object)).toThrow('it must be a function')
  }
})
