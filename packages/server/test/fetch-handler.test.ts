import { createHub, LogError, memory, PROBLEM_TYPE, type Backend, type Hub, type HubLimits } from '@millrace/server'
import { afterEach, describe, expect, test } from 'vitest'
import { readBody } from './support/read-body.ts'

const URL_OF_STREAM = 'https://example.org/events'
const hubs: Hub[] = []
/** By the end of a test all clients have left. */
let leaving = new AbortController()

async function hubOf(backend: Backend = memory(), limits: Partial<HubLimits> = {}): Promise<Hub> {
  const hub = createHub({ backend, ...limits })
  hubs.push(hub)
  await hub.ready()
  return hub
}

function ask(query = '', init?: RequestInit): Request {
  return new Request(`${URL_OF_STREAM}${query}`, { signal: leaving.signal, ...init })
}

afterEach(async () => {
  leaving.abort()
  leaving = new AbortController()
  for (const hub of hubs.splice(0)) await hub.close({ drainMs: 0 })
})

describe('a stream', () => {
  test('[MR-HTTP-1] [MR-HTTP-3] has status 200 and the headers of a stream, and says nothing about the connection', async () => {
    const hub = await hubOf()
    const response = await hub.fetchHandler()(ask())
    expect(response.status).toBe(200)
    const { 'millrace-connection': connection, ...headers } = Object.fromEntries(response.headers)
    expect(headers).toEqual({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-store, no-transform',
      'x-accel-buffering': 'no',
      vary: 'Accept, Origin',
    })
    expect(await readBody(response, 'stream:connected')).toContain(`"connection":"${connection}"`)
  })

  test('carries what is published, and resumes from an id with what was missed', async () => {
    const hub = await hubOf()
    const handle = hub.fetchHandler()
    const first = await handle(ask('?topic=a'))
    const { ids } = await hub.publish([
      { topic: 'a', data: 1 },
      { topic: 'a', type: 'last', data: 2 },
    ])
    expect(await readBody(first, 'data: 2\n\n')).toContain(`id: ${ids[0]}\n`)
    const second = await handle(ask('?topic=a', { headers: { 'Last-Event-ID': ids[0] ?? '' } }))
    const text = await readBody(second, 'stream:caught-up')
    expect(text).toContain(`id: ${ids[1]}\nevent: last\ntopic: a\ndata: 2\n\n`)
    expect(text).not.toContain('data: 1\n')
  })

  test('an id beyond ASCII is read as it was sent, from the header and from the query', async () => {
    const hub = await hubOf()
    const admitted: (string | undefined)[] = []
    const { admit } = hub
    hub.admit = (request) => {
      admitted.push(request.lastEventId)
      return admit.call(hub, request)
    }
    const handle = hub.fetchHandler()
    const bytes = String.fromCharCode(...new TextEncoder().encode('é日'))
    await handle(ask('', { headers: { 'Last-Event-ID': bytes } }))
    await handle(ask(`?last_event_id=${encodeURIComponent('é日')}#topic=a..b`))
    expect(admitted).toEqual(['é日', 'é日'])
  })

  test('is forgotten when its body is cancelled, and when the request is said to be gone', async () => {
    const hub = await hubOf()
    const handle = hub.fetchHandler()
    const responses = [await handle(ask('', { signal: new AbortController().signal })), await handle(ask())]
    expect(hub.size).toBe(2)
    await responses[0]?.body?.cancel()
    leaving.abort()
    await expect.poll(() => hub.size).toBe(0)
    expect(hub.stats()).toMatchObject({ audiences: 0, indexEntries: 0 })
  })

  test('of a client that left during authorization leaves nothing behind', async () => {
    const hub = await hubOf()
    const handle = hub.fetchHandler({
      authorize: async () => {
        leaving.abort()
        return { subscribe: ['>'] }
      },
    })
    await handle(ask())
    await expect.poll(() => hub.stats()).toMatchObject({ subscribers: 0, audiences: 0, indexEntries: 0 })
  })

  test('that nobody reads holds one bounded buffer, and gets everything when it is read', async () => {
    const hub = await hubOf(memory(), { maxBufferBytes: 4_096, staleMs: false })
    const response = await hub.fetchHandler()(ask())
    const filler = 'x'.repeat(1_000)
    const datas = Array.from({ length: 100 }, (_, i) => `${i} ${filler}`)
    for (const data of datas) await hub.publish({ topic: 'a', data })
    const [subscriber] = hub.subscribers()
    await expect.poll(() => subscriber?.state.name).toBe('catching-up')
    expect(subscriber?.bufferedBytes).toBeLessThan(2 * 4_096)
    const text = await readBody(response, 'data: 99 x')
    expect(text.match(/^data: \d+ /gm)).toEqual(datas.map((_, i) => `data: ${i} `))
  })

  test('is told when the hub closes, and its body ends', async () => {
    const hub = await hubOf()
    const response = await hub.fetchHandler()(ask())
    const text = readBody(response)
    await hub.close()
    expect(await text).toMatch(/retry: \d+\n\nevent: stream:shutdown\n/)
  })

  test('lifts the time-out of a platform that has one', async () => {
    const hub = await hubOf()
    const lifted: unknown[] = []
    const request = ask()
    const host = { timeout: (...args: unknown[]) => lifted.push(args) }
    await hub.fetchHandler()(request, host)
    await hub.fetchHandler({ authorize: () => ({ status: 401 }) })(request, host)
    expect(lifted).toEqual([[request, 0]])
  })
})

describe('a poll', () => {
  test('is answered in JSON, and goes on from its cursor', async () => {
    const hub = await hubOf()
    const handle = hub.fetchHandler()
    const accept = { headers: { accept: 'application/json' } }
    const first = await (await handle(ask('?topic=a', accept))).json()
    expect(first).toMatchObject({ events: [], reset: null })
    const waiting = handle(ask(`?topic=a&last_event_id=${first.cursor}`, accept))
    await hub.publish({ topic: 'a', data: 1 })
    expect(await (await waiting).json()).toMatchObject({ events: [{ topic: 'a', data: 1 }] })
  })

  test('ends when its client has left', async () => {
    const hub = await hubOf()
    const accept = { headers: { accept: 'application/json' } }
    const { cursor } = await (await hub.fetchHandler()(ask('', accept))).json()
    const waiting = hub.fetchHandler()(ask(`?last_event_id=${cursor}`, accept))
    leaving.abort()
    expect((await waiting).status).toBeLessThan(600)
  })
})

describe('no stream', () => {
  test.each([
    ['a stream that is finished', '', { authorize: () => ({ status: 204 }) as const }, {}, 204],
    ['a topic that is none', '?topic=a..b', {}, {}, 400],
    ['a client that is unknown', '', { authorize: () => ({ status: 401 }) as const }, {}, 401],
    ['a media type that there is not', '', {}, { accept: 'text/html' }, 406],
  ] as const)('%s is answered with Accept and Origin in Vary', async (_what, query, options, headers, status) => {
    const response = await (await hubOf()).fetchHandler(options)(ask(query, { headers }))
    expect([response.status, response.headers.get('vary'), response.headers.get('cache-control')]).toEqual([
      status,
      'Accept, Origin',
      'no-store',
    ])
  })

  test('[MR-HTTP-6] a grant limits what is seen, and a refusal names the topics', async () => {
    const hub = await hubOf()
    const handle = hub.fetchHandler({ authorize: () => ({ subscribe: ['a.>'] }) })
    const refused = await handle(ask('?topic=a.b,b,c'))
    expect([refused.status, refused.headers.get('content-type')]).toEqual([403, PROBLEM_TYPE])
    expect(await refused.json()).toMatchObject({ status: 403, detail: 'Not allowed to subscribe to b, c.' })
    const stream = await handle(ask())
    await hub.publish([
      { topic: 'b', type: 'hidden', data: 0 },
      { topic: 'a.b', type: 'seen', data: 1 },
    ])
    expect(await readBody(stream, 'seen')).not.toContain('hidden')
  })

  test('the authorizer sees the request itself', async () => {
    const hub = await hubOf()
    const handle = hub.fetchHandler({
      authorize: ({ headers }) =>
        headers.get('authorization') === 'Bearer good'
          ? { subscribe: ['a'] }
          : { status: 401, detail: 'Bring a token.' },
    })
    const refused = await handle(ask())
    expect([refused.status, await refused.json()]).toEqual([401, expect.objectContaining({ detail: 'Bring a token.' })])
    expect((await handle(ask('', { headers: { authorization: 'Bearer good' } }))).status).toBe(200)
  })

  test('[MR-HTTP-8] an authorizer can stop a client for good with 204', async () => {
    const hub = await hubOf()
    const response = await hub.fetchHandler({ authorize: () => ({ status: 204 }) })(ask())
    expect([response.status, response.body]).toEqual([204, null])
  })

  test('a fault of the authorizer is answered with 500, told to the server and not to the client', async () => {
    const hub = await hubOf()
    const faults: unknown[] = []
    const secret = new Error('the secret of the database')
    const response = await hub.fetchHandler({
      authorize: () => Promise.reject(secret),
      onError: (error, context) => faults.push(error, context),
    })(ask())
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('secret')
    expect(faults).toEqual([secret, 'opening a stream'])
  })

  test('a fault in opening it is answered with 500, too', async () => {
    const hub = await hubOf()
    const fault = new Error('broken')
    hub.admit = async () => ({
      kind: 'accepted',
      connection: 'c',
      open() {
        throw fault
      },
    })
    const faults: unknown[] = []
    expect((await hub.fetchHandler({ onError: (error) => faults.push(error) })(ask())).status).toBe(500)
    expect(faults).toEqual([fault])
  })

  test.each([
    ['?topic=a..b', {}, 400],
    ['', { headers: { accept: 'image/png' } }, 406],
    ['', { method: 'POST' }, 415],
    ['', { method: 'DELETE' }, 405],
    ['', { method: 'HEAD' }, 405],
  ] as const)('%s %o is answered with %i', async (query, init, status) => {
    const hub = await hubOf()
    const response = await hub.fetchHandler()(ask(query, init))
    expect([response.status, response.headers.get('content-type')]).toEqual([status, PROBLEM_TYPE])
    expect(response.headers.get('allow')).toBe(status === 405 ? 'GET, POST' : null)
  })

  test('[MR-HTTP-7] while the log is away a native client is sent away for a while, one that reads statuses gets 503', async () => {
    const backend = memory()
    const hub = await hubOf(backend)
    backend.log.bounds = () => Promise.reject(new LogError('unavailable', 'away'))
    const foreign = { 'Last-Event-ID': 'zzzzzz-5-abc' }
    const native = await hub.fetchHandler()(ask('', { headers: foreign }))
    expect([native.status, native.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    expect(await native.text()).toMatch(
      /^retry: \d+\n\nevent: stream:reconnect\ndata: \{"reason":"log_unavailable"\}\n\n$/,
    )
    const ours = await hub.fetchHandler()(ask('', { headers: { ...foreign, 'Millrace-Client': 'test' } }))
    expect([ours.status, ours.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^[3-6]$/)])
  })
})
