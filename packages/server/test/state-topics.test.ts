import { expect, test } from 'vitest'
import { startScene, type Stream } from './support/hub-scene.ts'

const STATE = [{ match: 's.>', kind: 'state' }] as const
const said = (stream: Stream): string[] => stream.events().map(({ topic, data }) => `${topic} ${data}`)

test('[MR-RES-20] whoever starts or comes back is given the newest values, without ids and before it is live', async () => {
  const { hub, open, settle } = await startScene({}, STATE)
  const { ids } = await hub.publish([
    { topic: 's.a', key: 'x', data: 1 },
    { topic: 's.a', key: 'x', data: 2 },
    { topic: 's.a', key: 'y', data: 3 },
    { topic: 'log', data: 4 },
    { topic: 's.b', data: null },
  ])
  await settle()
  const fresh = await open('>')
  expect(said(fresh)).toEqual(['s.a 2', 's.a 3', 's.b null'])
  expect(fresh.all().map(({ type, lastEventId }) => [type, lastEventId])).toEqual([
    ['stream:connected', ''],
    ['message', ''],
    ['message', ''],
    ['message', ''],
    ['stream:caught-up', ids[4]],
  ])
  const returned = await open('>', { lastEventId: String(ids[0]) })
  expect(said(returned)).toEqual(['log 4', 's.a 2', 's.a 3', 's.b null'])
})

test('a stream that is owed no value starts with an id', async () => {
  const { open, publish } = await startScene({}, STATE)
  const [id] = await publish('s.a', 1)
  const stream = await open('s.none,log')
  expect(stream.all()).toMatchObject([{ type: 'stream:connected', lastEventId: id }])
})

test('[MR-RES-23] values of one key that leave together are one, and those of log topics are all', async () => {
  const { hub, open, settle } = await startScene({}, STATE)
  const stream = await open('>')
  await hub.publish([
    { topic: 's.a', key: 'x', data: 1 },
    { topic: 'log', data: 2 },
    { topic: 's.a', key: 'x', data: 3 },
    { topic: 's.a', key: 'y', data: 4 },
  ])
  await settle(5)
  expect(said(stream)).toEqual(['log 2', 's.a 3', 's.a 4'])
})

test('[MR-RES-24] a key is sent no more often than its rate says, its newest value comes late and without an id', async () => {
  const { open, publish, settle } = await startScene({}, [{ match: 's.>', kind: 'state', maxRatePerSecond: 2 }])
  const stream = await open('s.*')
  const [first] = await publish('s.a', 1)
  await publish('s.a', 2)
  await publish('s.a', 3)
  expect(said(stream)).toEqual(['s.a 1'])
  expect(stream.all().at(-1)?.lastEventId).toBe(first)
  await settle(480)
  expect(said(stream)).toEqual(['s.a 1'])
  await settle(20)
  expect(said(stream)).toEqual(['s.a 1', 's.a 3'])
  expect(stream.transport.text).toMatch(/\n\ntopic: s\.a\ndata: 3\n\n$/)
  const late = await open('s.a')
  expect(said(late)).toEqual(['s.a 3'])
})

test('[MR-RES-24] the last value of a topic does not wait', async () => {
  const { hub, open, settle } = await startScene({}, [{ match: 's.>', kind: 'state', maxRatePerSecond: 1 }])
  const stream = await open('s.*')
  await hub.publish([
    { topic: 's.a', key: 'x', data: 1 },
    { topic: 's.a', key: 'y', data: 2 },
  ])
  await settle(5)
  await hub.publish({ topic: 's.a', key: 'x', data: 3 })
  await settle(5)
  await hub.publish({ topic: 's.a', key: 'y', data: 4, end: true })
  await settle(5)
  expect(said(stream)).toEqual(['s.a 1', 's.a 2', 's.a 3', 's.a 4'])
  expect(stream.types().at(-1)).toBe('stream:end')
})

test('an id moves on while nothing but late values is sent', async () => {
  const topics = [{ match: 's.>', kind: 'state', maxRatePerSecond: 10 }] as const
  const { open, publish, settle } = await startScene({ heartbeatMs: 1_000 }, topics)
  const stream = await open('s.*')
  await publish('s.a', 'first')
  for (let n = 0; n < 40; n++) {
    await publish('s.a', n)
    await settle(45)
  }
  expect(stream.types()).toContain('stream:position')
})

test('[MR-RES-20] who was slow gets the newest values when it has recovered, and none is older than what it had', async () => {
  const { hub, open, publish, settle } = await startScene({ maxBufferBytes: 2_048 }, STATE)
  const stream = await open('s.*,log')
  stream.transport.isStalled = true
  for (let n = 0; n < 60; n++) {
    await publish('s.a', n)
    await publish('log', `log ${n}`)
  }
  for (let i = 0; i < 100 && hub.stats().live === 0; i++) {
    stream.transport.drain()
    await settle(100)
  }
  expect(hub.stats()).toMatchObject({ live: 1 })
  const values = stream.events().filter(({ topic }) => topic === 's.a')
  const numbers = values.map(({ data }) => Number(data))
  expect(numbers).toEqual(numbers.toSorted((one, other) => one - other))
  expect(numbers.at(-1)).toBe(59)
  expect(stream.events().filter(({ topic }) => topic === 'log')).toHaveLength(60)
})

test('values that do not fit come as there is room', async () => {
  const { hub, open, settle } = await startScene({ maxBufferBytes: 1_024 }, STATE)
  await hub.publish(Array.from({ length: 100 }, (_, n) => ({ topic: 's.a', key: `k${n}`, data: n })))
  await settle(100)
  const stream = await open('s.a')
  await settle(1_000)
  expect(said(stream)).toEqual(Array.from({ length: 100 }, (_, n) => `s.a ${n}`))
})

test('a reader inside the process is given the newest values, then what changes', async () => {
  const { hub, publish } = await startScene({}, STATE)
  await publish('s.a', 1, 2)
  const read: unknown[] = []
  const reading = (async () => {
    for await (const event of hub.subscribe({ topics: ['s.*', 'log'] })) {
      if (event.kind === 'event') read.push([event.topic, event.data])
      if (read.length === 3) break
    }
  })()
  await publish('log', 'x')
  await publish('s.a', 3)
  await reading
  expect(read).toEqual([
    ['s.a', 2],
    ['log', 'x'],
    ['s.a', 3],
  ])
})
