import { createHub, type Authorizer, type NodeHub, type StreamHandlerOptions } from '@millrace/node'
import { LogError, memory, type Backend } from '@millrace/server'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import express from 'express'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { openStream } from './support/open-stream.ts'

interface Served {
  readonly hub: NodeHub
  readonly url: string
}

const running: { hub: NodeHub; server: Server }[] = []
/** Of the handler, for each request. */
const handled: Promise<void>[] = []

async function serve(options: StreamHandlerOptions = {}, backend: Backend = memory()): Promise<Served> {
  const hub = createHub({ backend, retryMs: 100 })
  const handle = hub.handler(options)
  const server = createServer((request, response) => void handled.push(handle(request, response)))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  running.push({ hub, server })
  return { hub, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events` }
}

afterEach(async () => {
  handled.length = 0
  for (const { hub, server } of running.splice(0)) {
    await hub.close({ drainMs: 0 })
    server.closeAllConnections()
    server.close()
  }
})

test('a stream carries what is published, and resumes from an id with what was missed', async () => {
  const { hub, url } = await serve()
  const first = await openStream(`${url}?topic=a`)
  expect(first.response.headers['millrace-connection']).toBe(
    JSON.parse((await first.next('stream:connected')).data).connection,
  )
  const { ids } = await hub.publish([
    { topic: 'a', data: 1 },
    { topic: 'a', type: 'last', data: 2 },
  ])
  await first.next('last')
  const second = await openStream(`${url}?topic=a`, { 'Last-Event-ID': ids[0] ?? '' })
  expect(await second.next('last')).toMatchObject({ data: '2', lastEventId: ids[1] })
  expect(JSON.parse((await second.next('stream:caught-up')).data)).toEqual({ replayed: 1 })
})

test('an id beyond ASCII is read as it was sent, from the header and from the query', async () => {
  const admitted: (string | undefined)[] = []
  const { hub, url } = await serve()
  const { admit } = hub
  hub.admit = (request) => {
    admitted.push(request.lastEventId)
    return admit.call(hub, request)
  }
  await openStream(url, { 'Last-Event-ID': Buffer.from('é日').toString('latin1') })
  await openStream(`${url}?last_event_id=${encodeURIComponent('é日')}`)
  expect(admitted).toEqual(['é日', 'é日'])
})

test('[MR-HTTP-6] a grant limits what is seen, and a refusal names the topics', async () => {
  const { hub, url } = await serve({ authorize: () => ({ subscribe: ['a.>'] }) })
  const refused = await fetch(`${url}?topic=a.b,b,c`)
  expect(refused.status).toBe(403)
  expect(await refused.json()).toMatchObject({ status: 403, detail: 'Not allowed to subscribe to b, c.' })
  const stream = await openStream(url)
  await hub.publish([
    { topic: 'b', type: 'hidden', data: 0 },
    { topic: 'a.b', type: 'seen', data: 1 },
  ])
  await stream.next('seen')
  expect(stream.text).not.toContain('hidden')
})

test.each([401, 403] as const)('an authorizer can refuse with %i', async (status) => {
  const { url } = await serve({ authorize: () => ({ status, detail: 'Bring a token.' }) })
  const response = await fetch(url)
  expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/problem+json'])
  expect(await response.json()).toMatchObject({ detail: 'Bring a token.' })
})

test('[MR-HTTP-8] an authorizer can stop a client for good with 204', async () => {
  const { url } = await serve({ authorize: () => ({ status: 204 }) })
  const response = await fetch(url)
  expect([response.status, await response.text()]).toEqual([204, ''])
})

test('a fault of the authorizer is answered with 500 and not told', async () => {
  const authorize: Authorizer = () => Promise.reject(new Error('the secret of the database'))
  const { url } = await serve({ authorize })
  const response = await fetch(url)
  expect(response.status).toBe(500)
  expect(await response.text()).not.toContain('secret')
})

test('a client that leaves during authorization leaves nothing behind', async () => {
  let letIn: (() => void) | undefined
  const asked = new Promise<void>((resolveAsked) => {
    void serve({
      authorize: () =>
        new Promise((resolve) => {
          letIn = () => resolve({ subscribe: ['>'] })
          resolveAsked()
        }),
    }).then(({ url }) => {
      const request = new AbortController()
      void fetch(url, { signal: request.signal }).catch(() => undefined)
      void asked.then(() => request.abort())
    })
  })
  await asked
  const { hub } = running[0] ?? {}
  // The abort reaches the server before it goes on.
  await new Promise((resolve) => {
    setTimeout(resolve, 50)
  })
  letIn?.()
  await Promise.all(handled)
  await expect.poll(() => hub?.size).toBe(0)
  expect(hub?.stats()).toMatchObject({ audiences: 0, indexEntries: 0 })
})

test.each([
  ['topic=a..b', 'empty segment'],
  ['from=yesterday', '"from" is "yesterday"'],
  ['ticket=x', 'not built yet'],
])('[MR-HTTP-6] ?%s is a 400 that says why', async (query, detail) => {
  const { url } = await serve()
  const response = await fetch(`${url}?${query}`)
  expect([response.status, response.headers.get('content-type')]).toEqual([400, 'application/problem+json'])
  expect((await response.json()).detail).toContain(detail)
})

test.each([
  ['image/png', 406],
  ['text/html', 406],
])('Accept: %s is answered with %i', async (accept, status) => {
  const { url } = await serve()
  expect((await fetch(url, { headers: { accept } })).status).toBe(status)
})

test.each(['text/event-stream', '*/*', 'text/html, text/event-stream;q=0.5', 'text/*'])(
  'Accept: %s gets a stream',
  async (accept) => {
    const { url } = await serve()
    const stream = await openStream(url, { accept })
    expect(stream.response.headers['content-type']).toBe('text/event-stream')
    await stream.next('stream:connected')
  },
)

test.each(['PUT', 'HEAD', 'DELETE'])('%s is not for a stream', async (method) => {
  const { url } = await serve()
  const response = await fetch(url, { method })
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST'])
})

test('[MR-HTTP-7] [MR-RES-14] while the log is away a native client is sent away for a while, one that reads statuses gets 503', async () => {
  const backend = memory()
  const { url } = await serve({}, backend)
  await openStream(url)
  backend.log.bounds = () => Promise.reject(new LogError('unavailable', 'away'))
  const foreign = { 'Last-Event-ID': 'zzzzzz-5-abc' }
  const native = await openStream(url, foreign)
  expect(native.response.statusCode).toBe(200)
  await native.ended
  expect(native.text).toMatch(/^retry: \d+\n\nevent: stream:reconnect\ndata: \{"reason":"log_unavailable"\}\n\n$/)
  const ours = await fetch(url, { headers: { ...foreign, 'Millrace-Client': 'test' } })
  expect([ours.status, ours.headers.get('retry-after')]).toEqual([503, '1'])
})

test('a body that is too large is read to its end, and answered with 413', async () => {
  const { url } = await serve()
  const headers = { 'Content-Type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: 'x'.repeat(2_000_000) })
  expect([response.status, (await response.json()).detail]).toEqual([
    413,
    expect.stringContaining('more than 262144 bytes'),
  ])
})

test('a poll waits for an event, and no longer than its client', async () => {
  const { hub, url } = await serve()
  const headers = { Accept: 'application/json' }
  const { cursor } = await (await fetch(`${url}?topic=a`, { headers })).json()
  const waiting = fetch(`${url}?topic=a&last_event_id=${cursor}`, { headers })
  await expect.poll(() => handled.length).toBe(2)
  await hub.publish({ topic: 'a', data: 1 })
  expect(await (await waiting).json()).toMatchObject({ events: [{ topic: 'a', data: 1 }] })
  const leaving = new AbortController()
  const left = fetch(`${url}?topic=b&last_event_id=${cursor}`, { headers, signal: leaving.signal })
  await expect.poll(() => handled.length).toBe(3)
  leaving.abort()
  await expect(left).rejects.toThrow('abort')
  await Promise.all(handled)
})

test('a response that cannot be begun is a fault that is told', async () => {
  const faults: unknown[] = []
  const hub = createHub({ backend: memory() })
  const handle = hub.handler({ onError: (error) => faults.push(error) })
  const server = createServer((request, response) => {
    response.setHeader = () => response
    response.writeHead = () => {
      throw new Error('broken by middleware')
    }
    handled.push(
      handle(request, response)
        .catch((error: unknown) => void faults.push(error))
        .then(() => void response.destroy()),
    )
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  running.push({ hub, server })
  await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`).catch(() => undefined)
  await Promise.all(handled)
  expect(faults).toContainEqual(expect.objectContaining({ message: 'broken by middleware' }))
})

test('who leaves in the middle of a body is no fault that is told', async () => {
  const faults: unknown[] = []
  const { url } = await serve({ onError: (error) => faults.push(error) })
  const { port, pathname } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(`POST ${pathname} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{`)
  await expect.poll(() => handled.length).toBe(1)
  socket.resetAndDestroy()
  await Promise.all(handled)
  expect(faults).toEqual([])
})

test('when the hub closes, streams are told, and their connections end', async () => {
  const { hub, url } = await serve()
  const stream = await openStream(url)
  await stream.next('stream:connected')
  await hub.close()
  await stream.ended
  expect(stream.text).toMatch(/retry: \d+\n\nevent: stream:shutdown\n/)
})

test('a stream by POST reads its body, or takes what a framework has parsed before', async () => {
  const { url } = await serve()
  const post = { method: 'POST', headers: { 'content-type': 'application/json' } }
  const asked = await fetch(url, { ...post, body: '{"topic": "a..b"}' })
  expect([asked.status, (await asked.json()).detail]).toEqual([400, expect.stringContaining('a..b')])
  const app = express()
  const parsing = createHub({ backend: memory() })
  app.post('/events', express.json(), parsing.handler())
  const server = app.listen(0)
  onTestFinished(async () => {
    server.close()
    await parsing.close({ drainMs: 0 })
  })
  const { port } = server.address() as AddressInfo
  const parsed = await fetch(`http://127.0.0.1:${port}/events`, { ...post, body: '{"topics": "a"}' })
  expect([parsed.status, (await parsed.json()).detail]).toEqual([400, expect.stringContaining('Did you mean "topic"?')])
})

test('a user may change the topics of their own streams without a secret, and only to what is granted', async () => {
  const users = new Map([
    ['1', 'alice'],
    ['2', 'bob'],
  ])
  const { hub, url } = await serve({
    authorize: ({ headers }) => ({ subscribe: ['a.*'], user: users.get(String(headers['x-user'])) ?? 'nobody' }),
  })
  const stream = await openStream(`${url}?topic=a.1`, { 'x-user': '1' })
  const connection = String(stream.response.headers['millrace-connection'])
  const change = async (user: string, revision: number, ...topics: string[]): Promise<number> => {
    const headers = { 'content-type': 'application/json', 'x-user': user }
    const body = JSON.stringify({ topics, revision })
    return (await fetch(`${url}/${connection}/topics`, { method: 'PUT', headers, body })).status
  }
  expect(await change('2', 1, 'a.2')).toBe(403)
  expect(await change('1', 1, 'b')).toBe(403)
  expect(await change('1', 1, 'a.2', '@me')).toBe(200)
  await stream.next('stream:topics')
  expect([...hub.subscribers()][0]?.request.selectors).toEqual(['a.2', '@alice'])
})

test('a slip in the name of `authorize` does not let everybody in: the handler is refused', async () => {
  const slip = { authorise: () => ({ status: 401 }) } as StreamHandlerOptions
  await expect(serve(slip)).rejects.toThrow('no option "authorise". Did you mean "authorize"?')
})
