import { parseTopic, type Position } from '@millrace/protocol'
import { expect, test } from 'vitest'
import { FinishedTopics } from '../src/finished-topics.ts'
import { request, startScene, type Stream } from './support/hub-scene.ts'

test('[MR-CTL-13] [MR-CTL-14] the last event of a topic says so in the same bytes, and ends who wants no more', async () => {
  const { hub, open, settle } = await startScene()
  const one = await open('a')
  const both = await open('a,b')
  const any = await open('*')
  const { ids } = await hub.publish({ topic: 'a', data: 'last', end: true })
  await settle()
  for (const stream of [one, both, any]) {
    expect(stream.transport.text).toMatch(
      new RegExp(`id: ${ids[0]}\ntopic: a\ndata: last\n\nid: ${ids[0]}\nevent: stream:end\ndata: {"topic":"a"}\n\n$`),
    )
  }
  expect([one, both, any].map(({ transport }) => transport.isOpen)).toEqual([false, true, true])
  await hub.publish({ topic: 'b', data: 'last', end: true })
  await settle(5)
  expect([both, any].map(({ transport }) => transport.isOpen)).toEqual([false, true])
})

test('[MR-CTL-13] who does not want the event is told of the end, live and later', async () => {
  const { hub, open, publish, settle } = await startScene()
  const [start] = await publish('b', 0)
  const looks = { types: ['tick'] }
  const filtered = await open('a,b', looks)
  const named = await open('a,b', { client: 'ann' })
  await hub.publish({ topic: 'a', data: 1, except: 'ann', end: true })
  await settle()
  for (const stream of [filtered, named]) expect(stream.types()).toEqual(['stream:connected', 'stream:end'])
  const later = await open('a,b', { ...looks, lastEventId: start })
  expect(later.types()).toEqual(['stream:connected', 'stream:end', 'stream:caught-up'])
})

test('[MR-CTL-14] who comes back at or after the end is sent away for good, who comes before it gets the rest', async () => {
  const { hub, open, publish, settle } = await startScene()
  const ids = await publish('a', 1, 2)
  const end = (await hub.publish({ topic: 'a', data: 3, end: true })).ids.map(String)
  const [after] = await publish('other', 0)
  for (const lastEventId of [end[0], after]) {
    expect(await hub.admit({ ...request('a'), lastEventId })).toEqual({ kind: 'finished' })
  }
  expect(await hub.admit({ ...request('a,other'), lastEventId: after })).toMatchObject({ kind: 'accepted' })
  expect(await hub.admit({ ...request('*'), lastEventId: after })).toMatchObject({ kind: 'accepted' })
  const late = await open('a', { lastEventId: ids[0] })
  expect(late.events().map(({ data }) => data)).toEqual(['2', '3'])
  expect(late.types().slice(-2)).toEqual(['stream:end', 'stream:caught-up'])
  expect(late.transport.isOpen).toBe(false)
  await publish('a', 'again')
  await settle()
  expect(await hub.admit({ ...request('a'), lastEventId: after })).toMatchObject({ kind: 'accepted' })
})

test('[MR-CTL-14] a new stream on finished topics is told so at once, and ended', async () => {
  const { hub, open, settle } = await startScene()
  await hub.publish(['a', 'b'].map((topic) => ({ topic, data: 1, end: true })))
  await settle()
  const stream = await open('a,b')
  expect(stream.types()).toEqual(['stream:connected', 'stream:end', 'stream:end'])
  expect(stream.transport.isOpen).toBe(false)
})

test('[MR-CTL-13] who was cut between the last event and its mark is told when it comes back', async () => {
  const { hub, open, settle } = await startScene()
  const { ids } = await hub.publish({ topic: 'a', data: 1, end: true })
  await settle()
  const stream = await open('a,b', { lastEventId: String(ids[0]) })
  expect(stream.types()).toEqual(['stream:connected', 'stream:caught-up', 'stream:end'])
})

const STATE = [{ match: 's.>', kind: 'state' }] as const
/** What a stream was told, marks and all, each with its id. */
const told = (stream: Stream): string[] =>
  stream.all().map(({ type, data, lastEventId }) => `${type} ${type.startsWith('stream:c') ? '' : data} ${lastEventId}`)

test('[MR-CTL-13] [MR-RES-20] who was away when a state topic was finished is told so with its last value', async () => {
  const { hub, open, publish, settle } = await startScene({}, STATE)
  const [start = ''] = await publish('log', 0)
  await hub.publish([
    { topic: 's.a', key: 'x', data: 1 },
    { topic: 's.a', key: 'y', data: 2, end: true },
    { topic: 's.b', data: 3, end: true },
    { topic: 's.b', key: 'again', data: 4 },
  ])
  await settle()
  const [end = ''] = await publish('log', 5)
  const returned = await open('s.*,log', { lastEventId: start })
  expect(told(returned)).toEqual([
    'stream:connected  ',
    `message 5 ${end}`,
    `message 1 ${end}`,
    `message 2 ${end}`,
    `stream:end {"topic":"s.a"} ${end}`,
    `message 3 ${end}`,
    `message 4 ${end}`,
    `stream:caught-up  ${end}`,
  ])
  expect(returned.transport.text).toContain(
    'topic: s.a\ndata: 2\n\nevent: stream:end\ndata: {"topic":"s.a"}\n\ntopic: s.b',
  )
})

test('[MR-CTL-13] who does not want the last value is told of the end when it starts, comes back, or was slow', async () => {
  const { hub, open, publish, settle } = await startScene({ maxBufferBytes: 1_024 }, STATE)
  const slow = await open('s.*,log', { types: ['tick'] })
  slow.transport.isStalled = true
  await hub.publish([
    { topic: 's.a', data: 1, end: true },
    { topic: 's.b', type: 'tick', data: 2, except: 'ann', end: true },
  ])
  await publish('log', 'x'.repeat(2_000))
  await hub.publish(
    Array.from({ length: 30 }, (_, n) => ({ topic: 'log', type: 'tick', data: `${n} ${'x'.repeat(100)}` })),
  )
  await settle(100)
  expect(hub.stats()).toMatchObject({ catchingUp: 1 })
  slow.transport.drain()
  await settle(1_000)
  expect(slow.types().filter((type) => type === 'stream:end')).toHaveLength(2)
  const fresh = await open('s.*', { types: ['tick'], client: 'ann' })
  expect(fresh.types()).toEqual(['stream:connected', 'stream:end', 'stream:end', 'stream:caught-up'])
  expect(fresh.transport.isOpen).toBe(true)
})

test('[MR-CTL-13] a snapshot tells of the end of a topic whose last event is not wanted', async () => {
  const { hub, open, settle } = await startScene()
  await hub.publish({ topic: 'a', data: 1, end: true })
  await settle()
  const stream = await open('*', { types: ['tick'], from: 'snapshot' })
  expect(stream.types()).toEqual(['stream:connected', 'stream:end', 'stream:caught-up'])
  expect(stream.transport.text).toContain('\n\nevent: stream:end\n')
})

test('[MR-CTL-14] who holds an id beyond the newest pass is not sent away by what held before', async () => {
  const { hub, settle } = await startScene({ flushIntervalMs: 100 })
  await hub.publish({ topic: 'a', data: 1, end: true })
  await settle(200)
  await hub.publish({ topic: 'b', data: 2 })
  await settle()
  const { ids } = await hub.publish({ topic: 'a', data: 3 })
  await settle()
  expect(hub.lagMs).toBe(0)
  expect(await hub.admit({ ...request('a'), lastEventId: String(ids[0]) })).toMatchObject({ kind: 'accepted' })
})

test('[MR-CTL-14] a stream of finished state topics has an id at its end, also when it was slow before', async () => {
  const { hub, open, settle } = await startScene({ maxBufferBytes: 1_024 }, STATE)
  const stream = await open('s.a')
  stream.transport.isStalled = true
  for (let n = 0; n < 30; n++) {
    await hub.publish({ topic: 's.a', data: `${n} ${'x'.repeat(100)}` })
    await settle(5)
  }
  const { ids } = await hub.publish({ topic: 's.a', data: 'last', end: true })
  await settle(5)
  stream.transport.drain()
  await settle(1_000)
  expect(stream.all().at(-1)).toMatchObject({ type: 'stream:end', lastEventId: ids[0] })
  expect(stream.transport.isOpen).toBe(false)
  expect(await hub.admit({ ...request('s.a'), lastEventId: String(ids[0]) })).toEqual({ kind: 'finished' })
})

test('of very many finished topics those are known that were finished last', () => {
  const finished = new FinishedTopics(2)
  const at = (seq: number): Position => ({ epoch: 'e', seq, check: 'abc' })
  const note = (topic: string, seq: number, end?: true): void => {
    const event = { topic: parseTopic(topic), data: '', timeMs: 0, position: at(seq), ...(end ? { end } : {}) }
    finished.note(event)
  }
  for (const [i, topic] of ['a', 'b', 'c'].entries()) note(topic, i + 1, true)
  note('b', 4)
  note('d', 5, true)
  const seqs = ['a', 'b', 'c', 'd'].map((topic) => finished.endOf(parseTopic(topic), at(9))?.seq)
  expect(seqs).toEqual([undefined, undefined, 3, 5])
  expect(finished.topicEndedAt(1)).toBeUndefined()
})
