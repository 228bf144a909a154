import type { EventLog, PollAnswer, PollOptions, SubscribeRequest } from '@millrace/server'
import { createHub, memory, pollText } from '@millrace/server'
import { expect, test } from 'vitest'
import { request, startScene, type Scene } from './support/hub-scene.ts'

interface Polled extends Scene {
  /** Polls and lets what is due happen, so that a poll that waits is still waiting afterwards. */
  poll(topics: string, asked?: Partial<SubscribeRequest>, options?: Partial<PollOptions>): Promise<Answered>
}

interface Answered {
  /** Undefined while the poll waits. */
  readonly answer: () => PollAnswer | undefined
  readonly data: () => readonly string[] | undefined
}

async function start(...given: Parameters<typeof startScene>): Promise<Polled> {
  const scene = await startScene(...given)
  return {
    ...scene,
    async poll(topics, asked = {}, options = {}) {
      let answer: PollAnswer | undefined
      const polling = scene.hub.poll({ ...request(topics), ...asked }, { waitMs: 0, wantsAllValues: false, ...options })
      void polling.then((value) => (answer = value))
      await scene.settle()
      return { answer: () => answer, data: () => answer?.events.map(({ data }) => data) }
    },
  }
}

test('the first poll without an id answers at once, with the position it starts from', async () => {
  const { poll, publish } = await start()
  const [id] = await publish('a', 1)
  const { answer } = await poll('a', {}, { waitMs: 60_000 })
  expect(answer()).toEqual({ events: [], cursor: id, reset: null, isPartial: false })
})

test('[MR-HTTP-10] a poll gets every matching event after its id, each once, and goes on from its cursor', async () => {
  const { poll, publish } = await start()
  const first = await poll('a.*')
  await publish('a.1', 1)
  await publish('b', 2)
  await publish('a.2', { n: 3 })
  const second = await poll('a.*', { lastEventId: first.answer()?.cursor })
  expect(second.answer()?.events).toMatchObject([
    { topic: 'a.1', type: 'message', data: '1', json: true },
    { topic: 'a.2', data: '{"n":3}' },
  ])
  const third = await poll('a.*', { lastEventId: second.answer()?.cursor })
  expect(third.answer()).toEqual({ events: [], cursor: second.answer()?.cursor, reset: null, isPartial: false })
})

test('a poll that has nothing yet waits for the first event, and no longer than it was asked to', async () => {
  const { poll, publish, settle } = await start()
  const { answer } = await poll('a')
  const cursor = answer()?.cursor
  const waiting = await poll('a', { lastEventId: cursor }, { waitMs: 5_000 })
  const impatient = await poll('a', { lastEventId: cursor }, { waitMs: 1_000 })
  await publish('b', 1)
  await settle(500)
  expect([waiting.answer(), impatient.answer()]).toEqual([undefined, undefined])
  await settle(600)
  expect(impatient.data()).toEqual([])
  expect(impatient.answer()?.cursor).not.toBe(cursor)
  await publish('a', 2)
  await settle(100)
  expect(waiting.data()).toEqual(['2'])
})

test('a poll ends when its client leaves, and when the hub closes', async () => {
  const { hub, poll, settle } = await start()
  const cursor = (await poll('a')).answer()?.cursor
  const leaving = new AbortController()
  const left = await poll('a', { lastEventId: cursor }, { waitMs: 60_000, signal: leaving.signal })
  const waiting = await poll('a', { lastEventId: cursor }, { waitMs: 60_000 })
  leaving.abort()
  await settle()
  expect([left.data(), waiting.data()]).toEqual([[], undefined])
  await hub.close({ drainMs: 0 })
  await settle()
  expect(waiting.data()).toEqual([])
})

test('what does not fit into one answer is in the next', async () => {
  const { hub, poll, settle } = await start({ hotWindowCount: 1_500 })
  let cursor = (await poll('a')).answer()?.cursor
  for (let i = 0; i < 25; i++) {
    await hub.publish(Array.from({ length: 100 }, (_, n) => ({ topic: 'a', data: i * 100 + n })))
    await settle(10)
  }
  const data: string[] = []
  for (let polls = 0; polls < 3; polls++) {
    const { answer } = await poll('a', { lastEventId: cursor })
    for (let i = 0; i < 20 && !answer(); i++) await settle()
    cursor = answer()?.cursor
    expect(answer()?.events.length).toBeLessThanOrEqual(1_000)
    data.push(...(answer()?.events.map((event) => event.data) ?? []))
  }
  expect(data.map(Number)).toEqual(Array.from({ length: 2_500 }, (_, n) => n))
})

test('[MR-HTTP-10] a poll that cannot go on from its id is told so, and goes on as it asked to', async () => {
  const { poll, publish } = await start({ hotWindowCount: 1 }, [{ match: 'a', retention: { maxCount: 2 } }])
  const [lost = ''] = await publish('a', 1)
  const ids = await publish('a', 2, 3, 4)
  const now = await poll('a', { lastEventId: lost }, { waitMs: 60_000 })
  expect(now.answer()).toEqual({
    events: [],
    cursor: ids[2],
    reset: { reason: 'too_old', from: lost, oldest: ids[0] },
    isPartial: false,
  })
  const earliest = await poll('a', { lastEventId: lost, from: 'earliest' })
  expect(earliest.data()).toEqual(['3', '4'])
  expect(earliest.answer()?.reset?.reason).toBe('too_old')
  const unknown = await poll('a', { lastEventId: 'x'.repeat(300) })
  expect(unknown.answer()?.reset).toMatchObject({ reason: 'unknown_id', from: 'x'.repeat(128) })
})

test('from=snapshot answers the last event of each topic without ids, then what comes', async () => {
  const { poll, publish } = await start()
  await publish('a.1', 1)
  await publish('a.1', 2)
  const [last] = await publish('a.2', 3)
  const { answer } = await poll('a.*', { from: 'snapshot' })
  expect(answer()).toMatchObject({
    events: [
      { id: null, topic: 'a.1', data: '2' },
      { id: null, topic: 'a.2', data: '3' },
    ],
    cursor: last,
  })
  await publish('a.1', 4)
  expect((await poll('a.*', { lastEventId: answer()?.cursor })).data()).toEqual(['4'])
})

test('a poll gets the newest value of each key of a state topic, once, and all of them on request', async () => {
  const { hub, poll, publish, settle } = await start({}, [{ match: 's', kind: 'state' }])
  const set = async (key: string, data: unknown): Promise<void> => {
    await hub.publish({ topic: 's', key, data })
    await settle(10)
  }
  await set('x', 1)
  await set('y', 2)
  await set('x', 3)
  const first = await poll('s,a')
  expect(first.answer()?.events).toMatchObject([
    { id: null, key: 'y', data: '2' },
    { id: null, key: 'x', data: '3' },
  ])
  const cursor = first.answer()?.cursor
  expect((await poll('s,a', { lastEventId: cursor })).data()).toEqual([])
  await set('x', 4)
  await publish('a', 'log')
  await set('x', 5)
  const next = await poll('s,a', { lastEventId: cursor })
  expect(next.data()).toEqual(['log', '5'])
  const all = await poll('s,a', { lastEventId: next.answer()?.cursor }, { wantsAllValues: true })
  expect(all.data()).toEqual(['2', '5'])
})

test('a poll leaves out the types that it did not ask for, and what its client has published itself', async () => {
  const { hub, poll, settle } = await start()
  const cursor = (await poll('a')).answer()?.cursor
  await hub.publish([
    { topic: 'a', type: 'x', data: 1 },
    { topic: 'a', type: 'y', data: 2 },
    { topic: 'a', type: 'y', data: 3, except: 'me' },
  ])
  await settle(10)
  expect((await poll('a', { lastEventId: cursor, types: ['y'], client: 'me' })).data()).toEqual(['2'])
  expect((await poll('a', { lastEventId: cursor, types: ['y'], client: 'you' })).data()).toEqual(['2', '3'])
})

test('[MR-CTL-13] a poll tells of the end of a topic whose last event it leaves out, by type or name', async () => {
  const { hub, poll, settle } = await start({}, [{ match: 's', kind: 'state' }])
  const cursor = (await poll('a,b,s,c')).answer()?.cursor
  const { ids } = await hub.publish([
    { topic: 'a', type: 'tick', data: 1, end: true },
    { topic: 'b', type: 'note', data: 2, end: true },
    { topic: 's', type: 'note', data: 3, end: true },
    { topic: 'b', type: 'note', data: 4 },
  ])
  await settle(10)
  const looks = { types: ['tick'], client: 'me' }
  const told = (answer: PollAnswer | undefined): unknown[] =>
    (answer?.events ?? []).map(({ id, topic, type, data, end }) => [id, topic, type, data, end])
  const next = await poll('a,b,s,c', { ...looks, lastEventId: cursor })
  expect(told(next.answer())).toEqual([
    [ids[0], 'a', 'tick', '1', true],
    [ids[1], 'b', 'stream:end', '{"topic":"b"}', true],
    [null, 's', 'stream:end', '{"topic":"s"}', true],
  ])
  expect(told((await poll('a,b,s', { ...looks, from: 'snapshot' })).answer())).toEqual([
    [null, 'a', 'tick', '1', true],
    [null, 's', 'stream:end', '{"topic":"s"}', true],
  ])
  const own = await hub.publish({ topic: 'c', type: 'tick', data: 5, except: 'me', end: true })
  await settle(10)
  const last = await poll('a,b,s,c', { ...looks, lastEventId: next.answer()?.cursor })
  expect(told(last.answer())).toEqual([[own.ids[0], 'c', 'stream:end', '{"topic":"c"}', true]])
  const text = JSON.parse(pollText(last.answer() as PollAnswer)) as { events: unknown[] }
  expect(text.events).toMatchObject([{ topic: 'c', type: 'stream:end', data: { topic: 'c' }, end: true }])
})

test('a poll that waits is answered by the end of a topic whose last event it leaves out', async () => {
  const { hub, poll, settle } = await start()
  const cursor = (await poll('a,b')).answer()?.cursor
  const waiting = await poll('a,b', { types: ['tick'], lastEventId: cursor }, { waitMs: 60_000 })
  await hub.publish({ topic: 'a', data: 1, end: true })
  await settle(100)
  expect(waiting.answer()?.events).toMatchObject([{ topic: 'a', type: 'stream:end' }])
})

test('a polled value that others have followed does not say that its topic is finished', async () => {
  const { hub, poll, settle } = await start({}, [{ match: 's', kind: 'state' }])
  await hub.publish([
    { topic: 's', key: 'x', data: 1, end: true },
    { topic: 's', key: 'y', data: 2 },
  ])
  await settle(10)
  expect((await poll('s')).answer()?.events.map(({ data, end }) => [data, end])).toEqual([
    ['1', undefined],
    ['2', undefined],
  ])
})

test('an answer as JSON has the data as it was published', async () => {
  const { hub, poll, settle } = await start()
  const cursor = (await poll('a')).answer()?.cursor
  await hub.publish([
    { topic: 'a', data: 'a "text"' },
    { topic: 'a', type: 't', data: { n: 1 }, end: true },
  ])
  await settle(10)
  const { answer } = await poll('a', { lastEventId: cursor })
  const found = answer()
  if (!found) throw new Error('no answer')
  expect(JSON.parse(pollText(found))).toEqual({
    events: [
      { id: found.events[0]?.id, topic: 'a', type: 'message', time: expect.any(String), data: 'a "text"' },
      { id: found.events[1]?.id, topic: 'a', type: 't', time: expect.any(String), data: { n: 1 }, end: true },
    ],
    cursor: found.cursor,
    reset: null,
  })
})

test('a value that comes between the newest pass and the place of a snapshot is in its answer or in the next', async () => {
  const { hub, poll, publish, settle } = await start({ flushIntervalMs: 50 }, [{ match: 's', kind: 'state' }])
  await publish('a', 1)
  await publish('a', 2)
  await hub.publish([
    { topic: 's', data: 'value' },
    { topic: 'a', data: 3 },
  ])
  const first = await poll('s,a', { from: 'snapshot' })
  await settle(50)
  expect(first.data()).toEqual(['value', '3'])
})

test('a poll whose cursor is ahead of what this node has heard gets nothing twice', async () => {
  const backend = memory()
  const { log } = backend
  const hearing = Promise.withResolvers<void>()
  const deaf: EventLog = {
    guarantees: log.guarantees,
    append: (...given) => log.append(...given),
    read: (query) => log.read(query),
    snapshot: (...given) => log.snapshot(...given),
    recent: (limits) => log.recent(limits),
    bounds: () => log.bounds(),
    close: () => log.close(),
    tail: (after, listener) =>
      log.tail(after, {
        onEvents: async (events) => {
          await hearing.promise
          return listener.onEvents(events)
        },
        onEpoch: (head) => listener.onEpoch(head),
        onInterrupted: (error) => listener.onInterrupted(error),
        onResumed: () => listener.onResumed(),
      }),
  }
  const hub = createHub({ backend: { ...backend, log: deaf } })
  await hub.ready()
  await hub.publish({ topic: 'a', data: 1 })
  const asked = { ...request('a'), from: 'snapshot' } as const
  const first = await hub.poll(asked, { waitMs: 0, wantsAllValues: false })
  expect(first.events.map(({ data }) => data)).toEqual(['1'])
  const next = hub.poll({ ...asked, lastEventId: first.cursor }, { waitMs: 60_000, wantsAllValues: false })
  await new Promise((resolve) => setImmediate(resolve))
  await hub.publish({ topic: 'a', data: 2 })
  hearing.resolve()
  expect((await next).events.map(({ data }) => data)).toEqual(['2'])
  await hub.close({ drainMs: 0 })
})
