import { expect, test } from 'vitest'
import { FakeTransport } from './support/fake-transport.ts'
import { startScene } from './support/hub-scene.ts'

test('[MR-RES-15] a slow subscriber is written no more than its buffer, and gets all in order when it drains', async () => {
  const { hub, open, publish } = await startScene({ maxBufferBytes: 2_048, hotWindowCount: 4 })
  const slow = await open('a')
  slow.transport.isStalled = true
  const numbers = Array.from({ length: 200 }, (_, i) => i)
  for (const n of numbers) await publish('a', n)
  expect(slow.transport.bufferedBytes).toBeLessThan(2_048 + 200)
  expect(hub.stats()).toMatchObject({ live: 0, catchingUp: 1 })
  for (let i = 0; i < 100 && hub.stats().live === 0; i++) {
    slow.transport.drain()
    await publish('b', 0)
  }
  expect(slow.events().map(({ data }) => Number(data))).toEqual(numbers)
  expect(hub.stats()).toMatchObject({ live: 1, catchingUp: 0 })
})

test('a subscriber whose bytes are unsent for maxUnsentMs has fallen behind, however few they are', async () => {
  const { hub, open, publish, settle } = await startScene({ maxUnsentMs: 2_000 })
  const slow = await open('a')
  slow.transport.isStalled = true
  await publish('a', 1)
  await settle(1_500)
  expect(hub.stats().live).toBe(1)
  await settle(2_500)
  expect(hub.stats()).toMatchObject({ live: 0, catchingUp: 1 })
})

test('a connection that takes nothing for staleMs is destroyed', async () => {
  const { hub, open, publish, settle } = await startScene({ maxUnsentMs: 1_000, staleMs: 5_000 })
  const { transport } = await open('a')
  transport.isStalled = true
  await publish('a', 1)
  await settle(8_000)
  expect(transport.isOpen).toBe(false)
  transport.settle()
  expect(hub.stats()).toMatchObject({ subscribers: 0, audiences: 0, indexEntries: 0 })
})

test('[MR-RES-15] with slowPolicy disconnect a subscriber that falls behind is destroyed', async () => {
  const { open, publish } = await startScene({ slowPolicy: 'disconnect', maxBufferBytes: 1_024 })
  const { transport } = await open('a')
  transport.isStalled = true
  await publish('a', 'x'.repeat(2_000))
  expect(transport.isOpen).toBe(false)
})

test('a transport that throws is ended and reported, and the others get everything', async () => {
  const errors: string[] = []
  const { open, publish } = await startScene({}, [], {
    onError: (error, context) => errors.push(`${context}: ${String(error)}`),
  })
  const broken = new FakeTransport()
  const streams = [await open('a'), await open('a', {}, broken), await open('a')]
  broken.write = () => {
    throw new Error('replaced by somebody')
  }
  await publish('a', 1)
  await publish('a', 2)
  expect(errors).toEqual(['writing to a stream: Error: replaced by somebody'])
  expect(streams.map((stream) => stream.events().length)).toEqual([2, 0, 2])
  expect(broken.isOpen).toBe(false)
})

test('publishing is refused while delivery lags behind by more than maxLagMs', async () => {
  const { clock, hub, settle } = await startScene({ maxLagMs: 1_000, flushIntervalMs: 1_000, hotWindowCount: 1 })
  await hub.publish({ topic: 'a', data: 1 })
  await settle()
  await hub.publish({ topic: 'a', data: 2 })
  await Promise.resolve()
  clock.pass(1_500)
  expect(hub.lagMs).toBe(1_500)
  await expect(hub.publish({ topic: 'a', data: 3 })).rejects.toMatchObject({ code: 'overloaded' })
  await settle(10)
  await settle(10)
  expect(hub.lagMs).toBe(0)
  await hub.publish({ topic: 'a', data: 4 })
})

test('a pass that was cut short is followed by the next at once', async () => {
  const { hub, open, settle } = await startScene({ maxBufferBytes: 1_024, flushIntervalMs: 1_000 })
  const { events } = await open('a')
  await hub.publish(Array.from({ length: 50 }, (_, data) => ({ topic: 'a', data })))
  await settle()
  expect(events()).toHaveLength(50)
})
