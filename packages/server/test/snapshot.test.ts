import { expect, test } from 'vitest'
import { startScene, type Stream } from './support/hub-scene.ts'

const said = (stream: Stream): string[] => stream.events().map(({ topic, data }) => `${topic} ${data}`)

test('[MR-RES-17] [MR-CTL-3] a snapshot has the last event of each topic without ids, and the first id follows it', async () => {
  const { open, publish } = await startScene({ maxBufferBytes: 1_024 })
  for (let n = 0; n < 30; n++) await publish(`a.t${n % 10}`, n)
  const [head] = await publish('b', 'no')
  const stream = await open('a.*', { from: 'snapshot' })
  expect(said(stream)).toEqual(Array.from({ length: 10 }, (_, n) => `a.t${n} ${20 + n}`))
  const ids = stream.transport.text.match(/^id: .*$/gm)
  expect(ids).toEqual([`id: ${head}`])
  expect(stream.all().at(-1)).toMatchObject({ type: 'stream:caught-up', data: '{"replayed":10}' })
  await publish('a.t3', 'live')
  expect(said(stream).at(-1)).toBe('a.t3 live')
})

test('[MR-RES-17] type filters and names narrow a snapshot, and the envelope has no id', async () => {
  const { hub, open, settle } = await startScene()
  await hub.publish([
    { topic: 'a', type: 'tick', data: 1 },
    { topic: 'b', type: 'note', data: 2 },
    { topic: 'c', type: 'tick', data: 3, except: 'ann' },
    { topic: 'd', type: 'tick', data: 4, except: 'ben' },
  ])
  await settle()
  const stream = await open('*', { from: 'snapshot', types: ['tick'], client: 'ann', envelope: true })
  expect(stream.events().map(({ data }) => JSON.parse(data) as unknown)).toMatchObject([
    { id: null, topic: 'a', data: 1 },
    { id: null, topic: 'd', data: 4 },
  ])
})

test('[MR-RES-10] [MR-CTL-6] after a gap the snapshot follows the notice, which then has no id', async () => {
  const { open, publish } = await startScene({}, [{ match: 'a', retention: { maxCount: 2 } }])
  const ids = await publish('a', 0, 1, 2, 3)
  const stream = await open('a', { lastEventId: ids[0], from: 'snapshot' })
  expect(stream.types()).toEqual(['stream:connected', 'stream:sync-required', 'message', 'stream:caught-up'])
  expect(stream.all().map(({ lastEventId }) => lastEventId)).toEqual(['', '', '', ids[3]])
  expect(said(stream)).toEqual(['a 3'])
})

test('subscribe begins with a snapshot when it is asked for, and goes on with what comes', async () => {
  const { hub, publish } = await startScene()
  await publish('a', 1, 2)
  await publish('b', 3)
  const read: unknown[] = []
  const reading = (async () => {
    for await (const event of hub.subscribe({ topics: ['*'], from: 'snapshot' })) {
      if (event.kind === 'event') read.push([event.topic, event.data, event.id === null])
      if (read.length === 3) break
    }
  })()
  await publish('nobody.asks', 0)
  await publish('c', 4)
  await reading
  expect(read).toEqual([
    ['a', 2, true],
    ['b', 3, true],
    ['c', 4, false],
  ])
})

test('[MR-RES-18] a replay that would be too long is told so, where it is', async () => {
  const { open, publish } = await startScene({ maxReplayCount: 3 })
  const ids = await publish('a', 0, 1, 2, 3, 4, 5)
  const short = await open('a', { lastEventId: ids[2] })
  expect(said(short)).toEqual(['a 3', 'a 4', 'a 5'])
  for (const from of ['now', 'earliest'] as const) {
    const long = await open('a', { lastEventId: ids[0], from })
    expect(said(long)).toEqual(['a 1', 'a 2', 'a 3'])
    const notice = long.all().find(({ type }) => type === 'stream:sync-required')
    expect(JSON.parse(notice?.data ?? '')).toMatchObject({ reason: 'too_far', from: ids[3] })
    expect(notice?.lastEventId).toBe(ids[5])
  }
  const snapshot = await open('a', { lastEventId: ids[0], from: 'snapshot' })
  expect(said(snapshot)).toEqual(['a 1', 'a 2', 'a 3', 'a 5'])
})

test('[MR-RES-19] with the policy sync who was slow is told so once drained, and goes on from the head', async () => {
  const { hub, open, publish, settle } = await startScene({ maxBufferBytes: 1_024, slowPolicy: 'disconnect' })
  const stream = await open('a', { slowPolicy: 'sync' })
  stream.transport.isStalled = true
  for (let n = 0; n < 40; n++) await publish('a', n)
  expect(hub.stats()).toMatchObject({ live: 0, catchingUp: 1 })
  const before = stream.events().length
  stream.transport.drain()
  await settle(1_000)
  expect(hub.stats()).toMatchObject({ live: 1, catchingUp: 0 })
  expect(stream.events()).toHaveLength(before)
  expect(stream.types().at(-1)).toBe('stream:sync-required')
  expect(JSON.parse(stream.all().at(-1)?.data ?? '')).toMatchObject({ reason: 'slow' })
  await publish('a', 'now')
  expect(said(stream).at(-1)).toBe('a now')
})
