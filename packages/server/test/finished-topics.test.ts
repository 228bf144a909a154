import { parseTopic, type Position } from '@millrace/protocol'
import { expect, test } from 'vitest'
import { FinishedTopics } from '../src/finished-topics.ts'
import { request, startScene } from './support/hub-scene.ts'

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
