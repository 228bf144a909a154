import { expect, onTestFinished, test } from 'vitest'
import type { AccessRequest } from '../../src/stream/feed-settings.ts'
import { openScene } from './support/scene.ts'
import { settle } from './support/test-clock.ts'

/** The program runs in a page for the rest of the test. */
function onPage(href: string): void {
  Object.assign(globalThis, { location: new URL(href) })
  onTestFinished(() => void Reflect.deleteProperty(globalThis, 'location'))
}

test('each attempt is made with fresh credentials, and keeps the id', async () => {
  let count = 0
  const { clock, hub } = await openScene({ authorize: () => ({ headers: { authorization: `Bearer ${++count}` } }) })
  hub.publish('a', 1)
  await settle()
  hub.cutStreams()
  await clock.advance(5_000)
  expect(hub.requests.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer 1', 'Bearer 2'])
  expect(hub.requests[1]?.headers.get('last-event-id')).toBe('e1-1-abc')
})

test('a ticket goes into the query, and another URL takes the place of the stream\u2019s', async () => {
  const tickets = await openScene({ authorize: async () => ({ ticket: 't 1' }), topics: ['a'] })
  expect(tickets.hub.requests[0]?.url.search).toBe('?ticket=t+1&topic=a')
  expect(tickets.stream.diagnostics().url).not.toContain('ticket')
  const moved = await openScene({ authorize: () => ({ url: 'http://other.test/events?x=1' }), topics: ['a'] })
  expect(moved.hub.requests[0]?.url.href).toBe('http://other.test/events?x=1&topic=a')
})

test('a URL of authorize is relative to that of the stream, with a page and without', async () => {
  const plain = await openScene({ authorize: () => ({ url: '/live?token=1' }), topics: ['a'] })
  expect(plain.hub.requests.map(({ url }) => url.href)).toEqual(['http://hub.test/live?token=1&topic=a'])
  onPage('http://page.test/app/')
  const onOne = await openScene({ authorize: () => ({ url: '/live?token=2' }) })
  expect(onOne.hub.requests.map(({ url }) => url.href)).toEqual(['http://hub.test/live?token=2'])
})

test('a URL of authorize that is of another origin than the page costs no preflight', async () => {
  onPage('http://hub.test/')
  const own = await openScene({ authorize: () => ({ url: '/events' }) })
  expect(own.hub.requests[0]?.headers.get('millrace-client')).toBe('js')
  const other = await openScene({ authorize: () => ({ url: 'http://other.test/events' }) })
  expect(other.hub.requests[0]?.headers.has('millrace-client')).toBe(false)
})

test('a 401 asks for other credentials once, soon, and is an answer the second time', async () => {
  const asked: AccessRequest[] = []
  const { clock, hub, stream } = await openScene(
    { authorize: (request) => void asked.push(request) },
    { prepare: (one) => (one.faultOf = () => ({ kind: 'answer', status: 401 })) },
  )
  await clock.until(() => stream.status.name === 'failed')
  expect(asked.map(({ isRefused }) => isRefused)).toEqual([false, true])
  expect(hub.requests.map(({ atMs }) => atMs)).toEqual([0, 150])
  expect(stream.status).toMatchObject({ error: { status: 401 } })
})

test('without authorize a 401 is an answer', async () => {
  const { stream, hub } = await openScene(
    {},
    { prepare: (one) => (one.faultOf = () => ({ kind: 'answer', status: 401 })) },
  )
  expect(stream.status.name).toBe('failed')
  expect(hub.requests).toHaveLength(1)
})

test('a token that expires again and again costs no event, and never the stream', async () => {
  let isExpired = false
  const { clock, hub, data } = await openScene({
    authorize: ({ isRefused }) => {
      if (isRefused) isExpired = false
      return {}
    },
  })
  hub.faultOf = () => (isExpired ? { kind: 'answer', status: 401 } : undefined)
  for (let i = 1; i <= 20; i++) {
    hub.publish('a', i)
    await settle()
    isExpired = true
    hub.endStreams('event: stream:unauthorized\ndata: {"reason":"expired"}\n\n')
    await clock.advance(10_000)
  }
  expect(data()).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
})

test('a grant that ends as soon as it has brought something is renewed soon once, then with back-off', async () => {
  const { clock, hub, stream, statuses } = await openScene(
    { authorize: () => ({}) },
    {
      prepare: (one) =>
        (one.faultOf = () => ({
          kind: 'answer',
          status: 200,
          headers: { 'content-type': 'text/event-stream' },
          body: 'id: 1\ndata: snapshot\n\nevent: stream:unauthorized\ndata: {"reason":"expired"}\n\n',
        })),
    },
  )
  await clock.advance(20_000)
  expect(statuses.flatMap((one) => (one.name === 'waiting' ? one.delayMs : []))).toEqual([
    150, 2_000, 3_000, 5_000, 9_000, 16_000,
  ])
  hub.faultOf = () => undefined
  await clock.until(() => stream.status.name === 'open')
  await clock.advance(5_000)
  hub.endStreams('event: stream:unauthorized\ndata: {"reason":"expired"}\n\n')
  await settle()
  expect(stream.status).toMatchObject({ name: 'waiting', delayMs: 150 })
})

test('a 401 is an answer only if it comes to what was given after another', async () => {
  const asked: unknown[] = []
  const answers = [401, 503, 401, undefined, 401]
  const { clock, stream, hub } = await openScene(
    {
      authorize({ isRefused }) {
        asked.push(isRefused)
        // What is refused stays refused until there is something else.
        if (asked.length === 2) throw new Error('no token')
      },
    },
    {
      prepare: (one) =>
        (one.faultOf = () => {
          const status = answers.shift()
          return status === undefined ? undefined : { kind: 'answer', status }
        }),
    },
  )
  await clock.until(() => stream.status.name === 'open')
  expect(asked).toEqual([false, true, true, false, true])
  hub.cutStreams()
  await clock.until(() => stream.status.name === 'waiting')
  await clock.until(() => stream.status.name === 'open')
  expect(asked.slice(5)).toEqual([false, true])
})

test('authorize that fails is tried again with back-off; one that hangs is not waited for', async () => {
  let calls = 0
  const failing = await openScene({
    authorize: () => {
      if (++calls < 3) throw new Error('no token')
      return {}
    },
  })
  expect(failing.stream.status).toMatchObject({
    name: 'waiting',
    error: { code: 'authorize', cause: { message: 'no token' } },
  })
  await failing.clock.until(() => failing.stream.status.name === 'open')
  expect(calls).toBe(3)
  let hanging = 0
  const deaf = await openScene({
    authorize: () => {
      hanging++
      return new Promise(() => {})
    },
  })
  await deaf.clock.advance(15_000)
  // It is not the server that is late, nor anything on the way to it: streams are not given up for that.
  expect(deaf.stream.status).toMatchObject({
    error: { code: 'authorize', message: 'authorize has not answered within 15000 ms.' },
  })
  expect(deaf.stream.diagnostics().transport).toBe('stream')
  await deaf.clock.advance(105_000)
  // Never two calls at once, even after the attempt that it was for has ended.
  expect(hanging).toBe(1)
  expect(deaf.stream.status).toMatchObject({ name: expect.stringMatching(/waiting|connecting/) })
  deaf.stream.close()
  await settle()
  expect(deaf.clock.timerCount).toBe(0)
})

test('a URL of authorize with credentials is a failure of authorize, and its password is not shown', async () => {
  const { stream, hub } = await openScene({ authorize: () => ({ url: 'http://user:secret@hub.test/events' }) })
  expect(stream.status).toMatchObject({ name: 'waiting', error: { code: 'authorize' } })
  expect(JSON.stringify(stream.diagnostics())).not.toContain('secret')
  expect(JSON.stringify(stream.diagnostics())).toContain('credentials')
  expect(hub.requests).toEqual([])
})

test.each(['stream', 'long-polling'] as const)(
  'what authorize gives, and no request can be made with, is a failure of authorize (by %s)',
  async (transport) => {
    const { stream, hub } = await openScene({ transport, authorize: () => ({ url: 'http://' }) })
    expect(stream.status).toMatchObject({ name: 'waiting', error: { code: 'authorize' } })
    expect(hub.requests).toEqual([])
  },
)

test('a grant that is about to end is renewed on the open stream', async () => {
  let count = 0
  const { hub, statuses } = await openScene({ authorize: () => ({ headers: { authorization: `Bearer ${++count}` } }) })
  for (const one of hub.streams) one.write('event: stream:expiring\ndata: {"reason":"expiry","expiresAt":1}\n\n')
  await settle()
  const renewal = hub.requests.at(-1)
  expect(renewal).toMatchObject({ method: 'POST', body: { secret: 's-c1' } })
  expect(renewal?.url.pathname).toBe('/events/c1/authorization')
  expect(renewal?.headers.get('authorization')).toBe('Bearer 2')
  expect(statuses.map(({ name }) => name)).toEqual(['connecting', 'open'])
})
