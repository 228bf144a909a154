import { expect, test } from 'vitest'
import { makeDelivery, type DeliveredEvent, type Delivery, type DeliveryHost } from '../../src/stream/delivery.ts'
import { settle } from './support/test-clock.ts'

const MISSED = { reason: 'too_old', from: '1', oldest: '5' } as const

function scene(own: Partial<DeliveryHost> = {}) {
  const handled: unknown[] = []
  const kept: string[] = []
  const syncs: (() => void)[] = []
  const delivery = makeDelivery(
    {
      maxQueueCount: 3,
      handle: ({ data }) => void handled.push(data),
      sync: () => new Promise((resolve) => syncs.push(resolve)),
      keep: (id) => void kept.push(id),
      attend() {},
      rest() {},
      ...own,
    },
    '',
  )
  const push = (n: number): void => delivery.push({ event: event(n), id: String(n) })
  return { delivery, handled, kept, syncs, push }
}

function event(n: number, type = 'message'): DeliveredEvent {
  return { type, data: n, topic: '', id: String(n) }
}

const value = async (next: Promise<IteratorResult<DeliveredEvent, undefined>>): Promise<unknown> =>
  (await next).value?.data

test('events wait for the first handler', async () => {
  const { delivery, handled, push } = scene()
  push(1)
  push(2)
  expect(handled).toEqual([])
  delivery.start()
  await settle()
  push(3)
  expect(handled).toEqual([1, 2, 3])
})

test('a reader goes at its own pace, and gets each event once and in order', async () => {
  const { delivery, push } = scene()
  push(1)
  const reader = delivery.read()
  expect(await value(reader.next())).toBe(1)
  const waiting = [reader.next(), reader.next()]
  push(2)
  push(3)
  expect(await Promise.all(waiting.map(value))).toEqual([2, 3])
})

test('the id is kept when the slowest is done with the event, which it says by asking for the next', async () => {
  const { delivery, kept, push } = scene()
  const [slow, fast] = [delivery.read(), delivery.read()]
  const firsts = [slow.next(), fast.next()]
  await settle()
  push(1)
  push(2)
  await Promise.all(firsts)
  void fast.next()
  await settle()
  expect(kept).toEqual([])
  void slow.next()
  await settle()
  expect(kept.at(-1)).toBe('1')
})

test('a loop that breaks off is done with the event that it has, though nobody comes after it', async () => {
  const { delivery, kept, push } = scene()
  for (const n of [1, 2, 3]) push(n)
  for await (const { data } of { [Symbol.asyncIterator]: () => delivery.read() }) if (data === 2) break
  expect([kept.at(-1), delivery.queuedCount()]).toEqual(['2', 1])
})

test('what was handed on before a handler closes is kept, and what it has in hand is not', async () => {
  const { delivery, kept, push } = scene({ handle: ({ data }) => void (data === 3 && delivery.close()) })
  for (const n of [1, 2, 3, 4]) push(n)
  delivery.start()
  await settle()
  expect(kept.at(-1)).toBe('2')
})

test('what a handler has in hand is not kept when it ends a loop before it closes', async () => {
  const { delivery, kept, push } = scene({
    handle({ data }) {
      if (data !== 2) return
      void reader.return?.()
      delivery.close()
    },
  })
  const reader = delivery.read()
  delivery.start()
  await settle()
  for (const n of [1, 2, 3]) push(n)
  expect(kept).toEqual(['1'])
})

test('what was handed on before a gate is kept when who hears of the gate closes', async () => {
  const { delivery, kept, push } = scene({ sync: async () => delivery.close() })
  push(1)
  delivery.push({ missed: MISSED, id: '4' })
  delivery.start()
  await settle()
  expect(kept).toEqual(['1'])
})

test('it is not ready while too much waits for a reader, and is again when some was taken', async () => {
  const { delivery, push } = scene({ maxQueueCount: 2 })
  const reader = delivery.read()
  const first = reader.next()
  await settle()
  push(1)
  push(2)
  await first
  const ready = delivery.ready()
  expect(ready).toBeInstanceOf(Promise)
  await reader.next()
  await ready
  expect(delivery.ready()).toBeUndefined()
})

test('what is held for the first consumer counts too', () => {
  const { delivery, push } = scene({ maxQueueCount: 2 })
  push(1)
  push(2)
  expect(delivery.ready()).toBeInstanceOf(Promise)
})

test('ids that move on without an event wait for nobody, and are kept when what is before them is done with', async () => {
  const { delivery, kept, push } = scene({ maxQueueCount: 3 })
  for (let n = 1; n <= 100; n++) delivery.push({ id: String(n) })
  expect(delivery.ready()).toBeUndefined()
  push(101)
  for (let n = 102; n <= 200; n++) delivery.push({ id: String(n) })
  push(201)
  for (let n = 202; n <= 300; n++) delivery.push({ id: String(n) })
  expect(delivery.receivedId()).toBe('300')
  expect(delivery.queuedCount()).toBe(3)
  const reader = delivery.read()
  expect((await reader.next()).value).toMatchObject({ data: 101, id: '101' })
  expect((await reader.next()).value).toMatchObject({ data: 201, id: '201' })
  expect(kept).toEqual(['100', '200'])
  const last = reader.next()
  await settle()
  expect(kept).toEqual(['100', '200', '300'])
  push(301)
  expect(await value(last)).toBe(301)
})

test('an id that moves on after a gap is kept when the gate has opened', async () => {
  const { delivery, kept, syncs } = scene()
  delivery.start()
  await settle()
  delivery.push({ missed: MISSED, id: '4' })
  delivery.push({ id: '5' })
  expect(kept).toEqual([])
  syncs[0]?.()
  await settle()
  expect(kept).toEqual(['5'])
})

test('a loop goes on where the one before it broke off', async () => {
  const { delivery, push } = scene()
  for (const n of [1, 2, 3]) push(n)
  const iterable = { [Symbol.asyncIterator]: () => delivery.read() }
  for await (const { data } of iterable) if (data === 2) break
  const seen: unknown[] = []
  for await (const { data } of iterable) {
    seen.push(data)
    if (data === 4) break
    push(4)
  }
  expect(seen).toEqual([3, 4])
})

test('a notice of missed events is a gate: nothing after it is handed on until the state was fetched', async () => {
  const { delivery, handled, kept, syncs, push } = scene({ maxQueueCount: 10 })
  delivery.start()
  await settle()
  push(1)
  delivery.push({ missed: MISSED, id: '4' })
  push(5)
  expect(handled).toEqual([1])
  expect(kept).toEqual(['1'])
  expect(delivery.ready()).toBeInstanceOf(Promise)
  syncs[0]?.()
  await settle()
  expect(handled).toEqual([1, 5])
  expect(kept.at(-1)).toBe('5')
  expect(delivery.ready()).toBeUndefined()
})

test('the gate waits for readers that have older events in hand', async () => {
  const { delivery, syncs, push } = scene({ maxQueueCount: 10 })
  const reader = delivery.read()
  const first = reader.next()
  await settle()
  push(1)
  delivery.push({ missed: MISSED, id: '4' })
  push(5)
  await first
  expect(syncs).toHaveLength(0)
  const second = reader.next()
  await settle()
  expect(syncs).toHaveLength(1)
  syncs[0]?.()
  expect(await value(second)).toBe(5)
})

test('a notice without an id moves none', async () => {
  const { delivery, kept, syncs } = scene()
  delivery.start()
  await settle()
  delivery.push({ missed: MISSED, id: undefined })
  syncs[0]?.()
  await settle()
  expect(kept).toEqual([])
  expect(delivery.receivedId()).toBe('')
})

test('a reader ends when all was handed on, by the error if there is one', async () => {
  const { delivery, push } = scene()
  push(1)
  delivery.finish(new Error('given up'))
  const reader = delivery.read()
  expect(await value(reader.next())).toBe(1)
  await expect(reader.next()).rejects.toThrow('given up')
  expect(await reader.next()).toEqual({ done: true, value: undefined })
})

test('closing ends readers at once, whatever waits, and lets go who waits for readiness', async () => {
  const { delivery, push } = scene({ maxQueueCount: 1 })
  const reader = delivery.read()
  const first = reader.next()
  await settle()
  push(1)
  push(2)
  await first
  const ready = delivery.ready()
  delivery.close()
  await ready
  expect(await reader.next()).toEqual({ done: true, value: undefined })
  expect(delivery.queuedCount()).toBe(0)
})

test('return ends a next that waits', async () => {
  const { delivery } = scene()
  const reader = delivery.read()
  const next = reader.next()
  await settle()
  await reader.return?.()
  expect(await next).toEqual({ done: true, value: undefined })
})

test('a handler that adds a handler or a reader does not disturb the order', async () => {
  const order: unknown[] = []
  const delivery: Delivery = makeDelivery(
    {
      maxQueueCount: 10,
      handle: ({ data }) => {
        order.push(data)
        if (data === 1) {
          delivery.start()
          delivery.push({ event: event(3), id: '3' })
        }
      },
      sync: async () => {},
      keep: () => {},
      attend() {},
      rest() {},
    },
    '',
  )
  delivery.push({ event: event(1), id: '1' })
  delivery.push({ event: event(2), id: '2' })
  delivery.start()
  await settle()
  expect(order).toEqual([1, 2, 3])
})
