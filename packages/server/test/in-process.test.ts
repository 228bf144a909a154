import { expect, test } from 'vitest'
import { startScene } from './support/hub-scene.ts'

async function take<T>(events: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = []
  for await (const event of events) if (taken.push(event) === count) break
  return taken
}

test('subscribe reads what comes, in order, with the values that were published', async () => {
  const { hub, publish } = await startScene()
  const read = take(hub.subscribe({ topics: ['a.*'] }), 3)
  await publish('a.x', 'text', { n: 1 })
  await publish('b', 'no')
  await publish('a.y', null)
  expect((await read).map((event) => (event.kind === 'event' ? [event.topic, event.data] : event))).toEqual([
    ['a.x', 'text'],
    ['a.x', { n: 1 }],
    ['a.y', null],
  ])
})

test('subscribe goes on after an id, beyond the hot window too', async () => {
  const { hub, publish } = await startScene({ hotWindowCount: 2 })
  const ids = await publish('a', 0, 1, 2, 3, 4, 5)
  const events = await take(hub.subscribe({ topics: ['a'], after: ids[1] }), 4)
  expect(events.map((event) => event.kind === 'event' && event.data)).toEqual([2, 3, 4, 5])
})

test('subscribe tells of a gap before anything newer', async () => {
  const { hub, publish } = await startScene({ hotWindowCount: 1 }, [{ match: 'a', retention: { maxCount: 2 } }])
  const ids = await publish('a', 0, 1, 2, 3, 4)
  const events = await take(hub.subscribe({ topics: ['a'], after: ids[0], from: 'earliest' }), 3)
  expect(events[0]).toMatchObject({ kind: 'gap', reason: 'too_old', from: ids[0] })
  expect(events.slice(1).map((event) => event.kind === 'event' && event.data)).toEqual([3, 4])
})

test('subscribe ends when its signal is aborted or the hub closes', async () => {
  const { hub } = await startScene()
  const abort = new AbortController()
  const aborted = take(hub.subscribe({ topics: ['a'], signal: abort.signal }), 1)
  const closed = take(hub.subscribe({ topics: ['a'] }), 1)
  abort.abort()
  expect(await aborted).toEqual([])
  await hub.close()
  expect(await closed).toEqual([])
})

test('subscribe refuses what is not a topic or pattern', async () => {
  const { hub } = await startScene()
  expect(() => hub.subscribe({ topics: [] })).toThrow(/No topic/)
  expect(() => hub.subscribe({ topics: ['a..b'] })).toThrow(/empty segment/)
})

test('subscribe with from now starts at the call, not at the first read', async () => {
  const { hub, publish } = await startScene()
  const events = hub.subscribe({ topics: ['a'] })
  await publish('a', 1)
  expect(await take(events, 1)).toMatchObject([{ kind: 'event', data: 1 }])
})

test('subscribe tells of an id beyond the head at once, and misses nothing that comes then', async () => {
  const { hub, publish } = await startScene()
  const [id] = await publish('a', 1)
  const ahead = id?.replace('-1-', '-9-')
  const events = hub.subscribe({ topics: ['a'], after: ahead })
  expect((await events.next()).value).toMatchObject({ kind: 'gap', reason: 'ahead', from: ahead })
  const next = events.next()
  await publish('a', 2)
  expect((await next).value).toMatchObject({ kind: 'event', data: 2 })
})

test('subscribe refuses a beginning that it does not know', async () => {
  const { hub } = await startScene()
  expect(() => hub.subscribe({ topics: ['a'], from: 'yesterday' as 'now' })).toThrow(/from is "yesterday"/)
})

test('a value of a state topic that was its last says so, and one that others have followed does not', async () => {
  const { hub, settle } = await startScene({}, [{ match: 's.>', kind: 'state' }])
  await hub.publish([
    { topic: 's.a', key: 'x', data: 1, end: true },
    { topic: 's.a', key: 'y', data: 2 },
    { topic: 's.b', data: 3, end: true },
    { topic: 's.c', type: 'other', data: 4, end: true },
  ])
  await settle()
  const read = take(hub.subscribe({ topics: ['s.*', 'log'], types: ['message'] }), 4)
  await settle()
  await hub.publish({ topic: 'log', data: 5, end: true })
  await settle(5)
  const ends = (await read).map((event) => event.kind === 'event' && [event.data, event.end])
  expect(ends).toEqual([
    [1, undefined],
    [2, undefined],
    [3, true],
    [5, true],
  ])
})
