import { expect, test } from 'vitest'
import { openScene } from './support/scene.ts'
import { settle } from './support/test-clock.ts'
import type { ReferenceHub } from './support/reference-hub.ts'

const holdStreams = (hub: ReferenceHub): void => {
  hub.faultOf = ({ transport }) => (transport === 'stream' ? { kind: 'hold' } : undefined)
}

const polls = ({ requests }: ReferenceHub): string[] =>
  requests.filter(({ transport }) => transport === 'poll').map(({ url }) => url.search)

test('a stream whose bytes are held back is followed by long polls, and nothing is lost', async () => {
  const { clock, hub, statuses, data, stream } = await openScene({ topics: ['a'] }, { prepare: holdStreams })
  // It is not open before there is proof that bytes get through.
  expect(statuses).toEqual([{ name: 'connecting', attempt: 1 }])
  await clock.advance(5_000)
  expect(statuses.at(-1)).toMatchObject({ name: 'waiting', delayMs: 150, error: { code: 'held_back' } })
  await clock.advance(150)
  expect(stream.status).toEqual({ name: 'open', transport: 'long-polling' })
  await clock.advance(100)
  hub.publish('a', 1)
  await settle()
  expect(data()).toEqual([1])
  hub.publish('a', 2)
  await clock.advance(100)
  expect(data()).toEqual([1, 2])
  expect(polls(hub).slice(0, 2)).toEqual(['?topic=a&wait=0&state=all', '?topic=a&wait=25&last_event_id=e1-0-abc'])
})

test('a server that answers polls, and no stream in time, is polled after the first attempt', async () => {
  // So it is in a browser that shows the head of a response together with its first bytes.
  const { clock, hub, statuses, stream } = await openScene(
    { topics: ['a'] },
    { prepare: (one) => (one.faultOf = ({ transport }) => (transport === 'stream' ? { kind: 'deaf' } : undefined)) },
  )
  await clock.until(() => stream.status.name === 'open')
  expect(statuses.at(-1)).toEqual({ name: 'open', transport: 'long-polling' })
  expect(hub.requests.map(({ transport }) => transport)).toEqual(['stream', 'poll'])
  expect(clock.now()).toBeLessThan(17_000)
  // No stream is tried as long as polls have not been enough for a while.
  await clock.advance(40_000)
  expect(stream.status).toEqual({ name: 'open', transport: 'long-polling' })
  expect(hub.requests.filter(({ transport }) => transport === 'stream')).toHaveLength(1)
})

test('a server that has streamed before is given a second chance when it does not answer in time', async () => {
  const { clock, hub, stream } = await openScene({ topics: ['a'] })
  hub.publish('a', 1)
  await settle()
  hub.faultOf = ({ transport }) => (transport === 'stream' ? { kind: 'deaf' } : undefined)
  hub.cutStreams()
  await clock.until(() => stream.status.name === 'open')
  expect(hub.requests.map(({ transport }) => transport)).toEqual(['stream', 'stream', 'stream', 'poll'])
})

test('an open poll moves the id on though nothing came', async () => {
  const { clock, hub, stream } = await openScene({ topics: ['a'], transport: 'long-polling' })
  await clock.advance(100)
  hub.publish('b', 1)
  await clock.advance(25_000)
  expect(stream.lastId).toBe('e1-1-abc')
})

test('a stream that is tried again is not called open before bytes get through', async () => {
  // Without the header, as over origins that do not expose it: that it is a hub is known from its answers to polls.
  const { clock, hub, statuses, stream } = await openScene({ topics: ['a'] }, { prepare: holdStreams })
  await clock.advance(300_000)
  expect(statuses.filter((one) => one.name === 'open' && one.transport === 'stream')).toEqual([])
  expect(hub.requests.filter(({ transport }) => transport === 'stream').length).toBeGreaterThan(2)
  expect(stream.diagnostics().transport).not.toBe('polling')
})

test('streams are tried again later, and take over when they get through', async () => {
  const { clock, hub, stream, data } = await openScene({ topics: ['a'] }, { prepare: holdStreams })
  await clock.until(() => stream.status.name === 'open')
  hub.publish('a', 1)
  hub.faultOf = () => undefined
  await clock.advance(80_000)
  expect(stream.status).toEqual({ name: 'open', transport: 'stream' })
  hub.publish('a', 2)
  await settle()
  expect(data()).toEqual([1, 2])
  expect(hub.requests.at(-1)?.headers.get('last-event-id')).toMatch(/^e1-/)
})

test('long polls that are cut off are followed by plain ones', async () => {
  const { clock, hub, stream, data } = await openScene({ topics: ['a'] }, { prepare: holdStreams })
  await clock.until(() => stream.status.name === 'open')
  hub.faultOf = ({ transport, url }) => {
    if (transport === 'stream') return { kind: 'hold' }
    return url.searchParams.get('wait') === '0' ? undefined : { kind: 'network' }
  }
  hub.publish('a', 1)
  await clock.until(
    () => stream.status.name === 'open' && 'transport' in stream.status && stream.status.transport === 'polling',
  )
  hub.publish('a', 2)
  await clock.advance(6_000)
  expect(data()).toEqual([1, 2])
})

test('plain polls leave time between them, whether events came or not', async () => {
  const { clock, hub } = await openScene({ topics: ['a'], transport: 'polling', fraction: () => 0 })
  await clock.advance(100)
  for (let i = 0; i < 20; i++) {
    hub.publish('a', i)
    await clock.advance(1_000)
  }
  expect(hub.requests).toHaveLength(6)
})

test('long polls that are answered at once with nothing make no hot loop', async () => {
  let hub: ReferenceHub | undefined
  const { clock } = await openScene(
    {
      transport: 'long-polling',
      fraction: () => 0,
      lastId: 'e1-0-abc',
      fetch: async (input, init) => {
        const url = new URL(input)
        url.searchParams.set('wait', '0')
        return hub!.fetch(url.href, init)
      },
    },
    { prepare: (one) => void (hub = one) },
  )
  await clock.advance(50_000)
  expect(hub?.requests).toHaveLength(11)
})

test('a server that does not poll is streamed from, and asked again now and then', async () => {
  const { clock, hub, stream } = await openScene(
    {},
    {
      prepare: (one) => {
        one.hasPolling = false
        one.faultOf = ({ transport }) => (transport === 'stream' ? { kind: 'network' } : undefined)
      },
    },
  )
  await clock.advance(1_800_000)
  // At least 1, 2, 4, 8 and 10 minutes lie between them.
  expect(polls(hub)).toHaveLength(6)
  hub.faultOf = () => undefined
  await clock.until(() => stream.status.name === 'open')
  expect(stream.status).toEqual({ name: 'open', transport: 'stream' })
})

test('what a captive portal says to streams and polls alike does not take polls away', async () => {
  const { clock, hub, stream, data } = await openScene({ topics: ['a'] })
  hub.publish('a', 1)
  await settle()
  const headers = { 'content-type': 'text/html' }
  hub.faultOf = () => ({ kind: 'answer', status: 200, headers, body: '<html>portal</html>' })
  hub.cutStreams()
  await clock.until(() => polls(hub).length === 4)
  holdStreams(hub)
  hub.publish('a', 2)
  await clock.until(() => data().length === 2, 40_000)
  expect(stream.status).toEqual({ name: 'open', transport: 'long-polling' })
})

test('a page that answers a poll alone does not take polls away for good', async () => {
  const { clock, hub, stream, data } = await openScene({ topics: ['a'] })
  hub.publish('a', 1)
  await settle()
  const headers = { 'content-type': 'text/html' }
  hub.faultOf = ({ transport }) =>
    transport === 'stream' ? { kind: 'network' } : { kind: 'answer', status: 200, headers, body: '<html>' }
  hub.cutStreams()
  await clock.until(() => polls(hub).length === 1)
  holdStreams(hub)
  hub.publish('a', 2)
  await clock.until(() => data().length === 2, 180_000)
  expect(stream.status).toEqual({ name: 'open', transport: 'long-polling' })
})

test('a server that does not poll is told of where polls were asked for', async () => {
  const { hub, stream, clock } = await openScene(
    { transport: 'polling' },
    { prepare: (one) => (one.hasPolling = false) },
  )
  await clock.advance(60_000)
  expect(stream.status).toMatchObject({ name: 'failed', error: { status: 400 } })
  expect(hub.requests).toHaveLength(1)
})

test('a reset in a poll is a notice of missed events, before the events that came with it', async () => {
  const reasons: string[] = []
  const order: unknown[] = []
  const { clock, hub, stream } = await openScene({
    topics: ['a'],
    transport: 'polling',
    lastId: 'e0-7-abc',
    onSync: (reason, { from }) => void order.push(reason, from),
  })
  stream.on('*', ({ data }) => void order.push(data))
  hub.publish('a', 1)
  await clock.advance(10_000)
  expect(reasons).toEqual([])
  expect(order).toEqual(['epoch_changed', 'e0-7-abc', 1])
})

test('credentials that are refused to a poll are renewed as for a stream', async () => {
  let calls = 0
  const { clock, stream, hub } = await openScene(
    {
      transport: 'long-polling',
      authorize: () => ({ headers: { authorization: `Bearer ${++calls}` } }),
    },
    {
      prepare: (one) =>
        (one.faultOf = ({ headers }) =>
          headers.get('authorization') === 'Bearer 1' ? { kind: 'answer', status: 401 } : undefined),
    },
  )
  await clock.until(() => stream.status.name === 'open')
  expect(hub.requests.map(({ headers }) => headers.get('accept'))).toEqual(['application/json', 'application/json'])
})

test('strings arrive as they do on a stream, whatever the transport', async () => {
  const texts = ['plain', '42', '{"a":1}', '', 'null']
  const seen: unknown[][] = []
  for (const transport of ['stream', 'long-polling'] as const) {
    const { clock, hub, data } = await openScene({ topics: ['a'], transport })
    await clock.advance(200)
    for (const text of [...texts, { b: 2 }, [1], 7, null]) hub.publish('a', text)
    await clock.advance(200)
    seen.push(data())
  }
  expect(seen[0]).toEqual(['plain', 42, { a: 1 }, '', null, { b: 2 }, [1], 7, null])
  expect(seen[1]).toEqual(seen[0])
})

test('a poll tells of each topic that is finished once, also of one whose last event is left out', async () => {
  const ended = [
    { id: 'e1-1-abc', topic: 'a', type: 'tick', data: 1, end: true },
    { id: 'e1-2-abc', topic: 'b', type: 'stream:end', data: { topic: 'b' }, end: true },
  ]
  const body = JSON.stringify({ events: ended, cursor: 'e1-2-abc', reset: null })
  const headers = { 'content-type': 'application/json' }
  const { clock, hub, stream, data } = await openScene({ topics: ['a', 'b', 'c'], transport: 'polling' })
  const ends: unknown[] = []
  stream.on('stream:end', (event) => void ends.push(event.data))
  hub.faultOf = () => ({ kind: 'answer', status: 200, body, headers })
  await clock.until(() => data().length > 0)
  expect(data()).toEqual([1])
  expect(ends).toEqual([{ topic: 'a' }, { topic: 'b' }])
  expect(stream.lastId).toBe('e1-2-abc')
})

const answering =
  (answer: unknown) =>
  (hub: ReferenceHub): void => {
    const headers = { 'content-type': 'application/json' }
    hub.faultOf = () => ({ kind: 'answer', status: 200, body: JSON.stringify(answer), headers })
  }

test.each(['polling', 'long-polling'] as const)(
  'answers without an id to go on from leave time between them (by %s)',
  async (transport) => {
    const events = Array.from({ length: 100 }, () => ({ type: 'tick', data: 1 }))
    for (const answer of [
      { events: [], cursor: '' },
      { events, cursor: '' },
    ]) {
      const { clock, hub } = await openScene({ transport, fraction: () => 0 }, { prepare: answering(answer) })
      await clock.advance(50_000)
      expect(hub.requests).toHaveLength(11)
    }
  },
)

test.each([[null], [1], ['x'], [{ type: 5, data: 1 }], [{ id: 5, data: 1 }], [{ topic: {}, data: 1 }]])(
  'an answer to a poll with the event %j cannot be read, and nothing of it is taken',
  async (event) => {
    const events = [{ id: '1', data: 'first' }, event]
    const { hub, stream, data } = await openScene(
      { transport: 'polling' },
      { prepare: answering({ events, cursor: '2' }) },
    )
    expect(stream.status).toMatchObject({ name: 'waiting', error: { code: 'unreadable' } })
    expect(hub.requests).toHaveLength(1)
    expect([data(), stream.lastId]).toEqual([[], ''])
  },
)

test('an event of a poll may be without data', async () => {
  const { data } = await openScene(
    { transport: 'polling' },
    { prepare: answering({ events: [{ id: '1' }], cursor: '1' }) },
  )
  expect(data()).toEqual([null])
})
