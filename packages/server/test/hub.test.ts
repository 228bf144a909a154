import { createHub, memory } from '@millrace/server'
import { expect, test } from 'vitest'
import { FakeTransport } from './support/fake-transport.ts'
import { request, startScene } from './support/hub-scene.ts'

test('[MR-CTL-1] a stream starts with a comment, retry and stream:connected, which carries the id it starts from', async () => {
  const { open, publish } = await startScene({ retryMs: 1_000, heartbeatMs: 5_000 })
  const [id] = await publish('a', 1)
  const { transport, all } = await open('a')
  expect(transport.text).toMatch(/^: [^\n]+\n\nretry: 1000\n\n/)
  expect(all()).toHaveLength(1)
  expect(all()[0]).toMatchObject({ type: 'stream:connected', lastEventId: id })
  expect(JSON.parse(all()[0]?.data ?? '')).toMatchObject({ heartbeatMs: 5_000 })
})

test('an event that matches several selectors of a stream is sent once', async () => {
  const { open, publish } = await startScene()
  const { events } = await open('a.b,a.*,a.>,>')
  await publish('a.b', 1)
  expect(events().map(({ data }) => data)).toEqual(['1'])
})

test('a type filter and both looks apply to live events and to replayed ones alike', async () => {
  const { hub, open, settle } = await startScene()
  const looks = { types: ['tick'], nameBy: 'topic', envelope: true } as const
  const live = await open('a', looks)
  const start = live.all()[0]?.lastEventId
  await hub.publish([
    { topic: 'a', type: 'tick', data: { n: 1 } },
    { topic: 'a', data: 'no' },
  ])
  await settle()
  const replayed = await open('a', { ...looks, lastEventId: start })
  expect(live.events()).toHaveLength(1)
  expect(replayed.events()).toEqual(live.events())
  const [event] = live.events()
  expect(event?.type).toBe('a')
  expect(JSON.parse(event?.data ?? '')).toMatchObject({ topic: 'a', type: 'tick', data: { n: 1 } })
})

test('the first event after a pause leaves in the same turn, what follows leaves together', async () => {
  const { hub, clock, open, settle } = await startScene({ flushIntervalMs: 5 })
  const { events } = await open('a')
  await settle(100)
  await hub.publish({ topic: 'a', data: 1 })
  await settle()
  expect(events()).toHaveLength(1)
  await hub.publish({ topic: 'a', data: 2 })
  await hub.publish({ topic: 'a', data: 3 })
  await settle()
  expect(events()).toHaveLength(1)
  const before = hub.stats().passes
  await settle(5)
  expect(events()).toHaveLength(3)
  expect(hub.stats().passes).toBe(before + 1)
  expect(clock.soonCount).toBe(0)
})

test('[MR-CTL-4] [MR-CTL-7] heartbeats are comments while the id is up to date, and stream:position when it is not', async () => {
  const { open, publish, settle } = await startScene({ heartbeatMs: 1_000 })
  const { transport, all, types } = await open('quiet')
  const start = transport.text.length
  await settle(1_000)
  expect(transport.text.slice(start)).toMatch(/^: ?\n\n$/)
  const [id] = await publish('busy', 1)
  await settle(1_000)
  expect(types().at(-1)).toBe('stream:position')
  expect(all().at(-1)).toMatchObject({ lastEventId: id, data: '{}' })
})

test('there are no heartbeats on a stream that is busy', async () => {
  const { open, publish, settle } = await startScene({ heartbeatMs: 1_000 })
  const { transport } = await open('a')
  for (let i = 0; i < 10; i++) {
    await publish('a', i)
    await settle(400)
  }
  expect(transport.text).not.toMatch(/\n: ?\n\n/)
})

test('who joins during a pass gets each event once', async () => {
  const { clock, hub, open, settle } = await startScene({ flushIntervalMs: 0 })
  const streams = await Promise.all(Array.from({ length: 40 }, () => open('a')))
  // A clock that moves with each look makes every slice short.
  const now = clock.now.bind(clock)
  clock.now = () => {
    clock.pass(3)
    return now()
  }
  await hub.publish({ topic: 'a', data: 1 })
  await Promise.resolve()
  for (let i = 0; i < 6; i++) {
    clock.turn()
    const admission = await hub.admit({
      selectors: streamsSelectors(),
      types: [],
      from: 'now',
      lastEventId: undefined,
      nameBy: 'type',
      envelope: false,
    })
    if (admission.kind === 'accepted') admission.open(new FakeTransport())
  }
  await settle()
  await hub.publish({ topic: 'a', data: 2 })
  await settle(10)
  expect(
    streams.map((stream) =>
      stream
        .events()
        .map(({ data }) => data)
        .join(),
    ),
  ).toEqual(streams.map(() => '1,2'))

  function streamsSelectors() {
    const [first] = [...hub.subscribers()]
    return first?.request.selectors ?? []
  }
})

test('a member that leaves during a sliced pass costs its neighbours nothing', async () => {
  const { clock, hub, open, settle } = await startScene({ flushIntervalMs: 0 })
  const streams = await Promise.all(Array.from({ length: 60 }, () => open('a')))
  const now = clock.now.bind(clock)
  clock.now = () => {
    clock.pass(3)
    return now()
  }
  await hub.publish({ topic: 'a', data: 1 })
  await Promise.resolve()
  clock.turn()
  const leaving = new Set([0, 1, 20, 21, 50])
  for (const [i, { connection }] of [...hub.subscribers()].entries()) if (leaving.has(i)) hub.endConnection(connection)
  for (const stream of streams) stream.transport.settle()
  await settle()
  const staying = streams.filter((_, i) => !leaving.has(i))
  expect(staying.map((stream) => stream.events().length)).toEqual(staying.map(() => 1))
})

test('[MR-CTL-9] publish refuses what cannot be an event, and stores nothing of an array with one bad event', async () => {
  const { hub, open } = await startScene({ maxEventBytes: 100 })
  const { events } = await open('>')
  const bad: readonly [unknown, string][] = [
    [{ topic: 'a b', data: 1 }, 'invalid_event'],
    [{ topic: 7, data: 1 }, 'invalid_event'],
    [{ topic: 'a', data: undefined }, 'invalid_event'],
    [{ topic: 'a', data: 1n }, 'invalid_event'],
    [{ topic: 'a', type: 'stream:x', data: 1 }, 'invalid_event'],
    [{ topic: 'a', type: 'open', data: 1 }, 'invalid_event'],
    [{ topic: 'a', type: 'x\ny', data: 1 }, 'invalid_event'],
    [{ topic: 'a', type: '', data: 1 }, 'invalid_event'],
    [{ topic: 'a', data: 'é'.repeat(60) }, 'too_large'],
  ]
  for (const [event, code] of bad) {
    await expect(hub.publish([{ topic: 'a', data: 'good' }, event as never])).rejects.toMatchObject({ code })
  }
  expect(events()).toEqual([])
  expect(await hub.publish({ topic: 'a', data: 'x'.repeat(99) })).toMatchObject({ ids: [expect.any(String)] })
})

test('options out of their range are refused with the value and the range', async () => {
  await expect(startScene({ heartbeatMs: 5 })).rejects.toThrow(
    'heartbeatMs is 5; it must be an integer from 100 to 3600000.',
  )
  await expect(startScene({ staleMs: 0 })).rejects.toThrow(
    'staleMs is 0; it must be an integer from 100 to 2147483647, or false.',
  )
  await expect(startScene({ staleMs: 1_000 })).rejects.toThrow(/staleMs \(1000\) is less than maxUnsentMs/)
})

test('the memory of recent events keeps to the narrowest retention', async () => {
  const { open, publish } = await startScene({}, [{ match: 'a', retention: { maxCount: 3 } }])
  const ids = await publish('a', 0, 1, 2, 3, 4)
  const late = await open('a', { lastEventId: ids[0], from: 'earliest' })
  expect(late.types()).toEqual([
    'stream:connected',
    'stream:sync-required',
    'message',
    'message',
    'message',
    'stream:caught-up',
  ])
  const early = await open('a', { lastEventId: ids[1] })
  expect(early.events().map(({ data }) => data)).toEqual(['2', '3', '4'])
})

test('unknown options and fields are refused, not ignored', async () => {
  await expect(startScene({ heartbeat: 5 } as object)).rejects.toThrow('A hub has no option "heartbeat"')
  await expect(startScene({ topics: [] } as object)).rejects.toThrow('memory({ topics })')
  const { hub } = await startScene()
  for (const event of [null, 'a'])
    await expect(hub.publish(event as never)).rejects.toMatchObject({ code: 'invalid_event' })
  const typo = { topic: 'a', data: 1, dedupKey: 'x' }
  await expect(hub.publish(typo as never)).rejects.toThrow(
    'An event has no field "dedupKey". Did you mean "dedupeKey"?',
  )
  const strange = { topic: 'a', data: 1, colour: 'x' }
  await expect(hub.publish(strange as never)).rejects.toThrow('has no field "colour". It has topic, type, data, key,')
})

test('a loop that awaits each publish to a log in memory does not keep delivery from its turn', async () => {
  const hub = createHub({ backend: memory(), maxLagMs: 1_000 })
  await hub.ready()
  const transport = new FakeTransport()
  const admission = await hub.admit(request('a'))
  if (admission.kind !== 'accepted') throw new Error('refused')
  admission.open(transport)
  const isDelivered = (): boolean => transport.text.includes('data: 0\n')
  // Nothing in this loop waits for anything but the hub.
  for (let count = 0; count < 200_000 && !isDelivered(); count++) await hub.publish({ topic: 'a', data: count })
  expect(isDelivered()).toBe(true)
  const closed = hub.close({ drainMs: 0 })
  transport.settle()
  await closed
})
