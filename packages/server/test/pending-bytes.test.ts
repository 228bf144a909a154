import fc from 'fast-check'
import { expect, test } from 'vitest'
import { textPayload, type Payload } from '../src/payload.ts'
import { PendingBytes, type PendingMember } from '../src/pending-bytes.ts'
import { UnsentPayloads } from '../src/unsent-payloads.ts'
import { FakeTransport } from './support/fake-transport.ts'
import { startScene } from './support/hub-scene.ts'

const payload = (byteLength: number): Payload => textPayload('x'.repeat(byteLength))

class Member implements PendingMember {
  readonly #sinceMs: number
  payloads: readonly Payload[]
  isCut = false

  constructor(sinceMs: number, ...payloads: readonly Payload[]) {
    this.#sinceMs = sinceMs
    this.payloads = payloads
  }

  unsentPayloads(): readonly Payload[] {
    return this.payloads
  }

  unsentMs(nowMs: number): number {
    return nowMs - this.#sinceMs
  }

  cutOff(): void {
    this.isCut = true
    this.payloads = []
  }
}

test('payloads of which some byte may still wait are held, and those that have left for certain are not', () => {
  const write = fc.record({ byteLength: fc.integer({ min: 1, max: 50 }), leaves: fc.integer({ min: 0, max: 120 }) })
  fc.assert(
    fc.property(fc.array(write, { maxLength: 200 }), (writes) => {
      const unsent = new UnsentPayloads()
      let waiting: { readonly payload: Payload; left: number }[] = []
      const waitingBytes = (): number => waiting.reduce((sum, { left }) => sum + left, 0)
      for (const { byteLength, leaves } of writes) {
        const next = payload(byteLength)
        waiting.push({ payload: next, left: byteLength })
        unsent.add(next, waitingBytes())
        for (let left = leaves; left > 0 && waiting[0];) {
          const part = Math.min(left, waiting[0].left)
          waiting[0].left -= part
          left -= part
          waiting = waiting.filter((one) => one.left > 0)
        }
        unsent.trim(waitingBytes())
        expect(unsent.waiting).toEqual(waiting.map((one) => one.payload))
      }
    }),
    { seed: 20_264, numRuns: 200 },
  )
})

test('what several transports wait for counts once, and nothing is counted before it may be too much', () => {
  const pending = new PendingBytes(1_000)
  const shared = payload(400)
  const members = Array.from({ length: 50 }, () => new Member(0, shared))
  for (const _ of members) pending.note(shared)
  expect(pending.isDue).toBe(false)
  // In turns, so that each time looks like a new one.
  for (let n = 0; n < 3; n++) for (const each of [payload(10), shared]) pending.note(each)
  expect(pending.isDue).toBe(true)
  pending.relieve(members, 0)
  expect(members.filter(({ isCut }) => isCut)).toEqual([])
  expect(pending.isDue).toBe(false)
})

test('those are cut off whose bytes have been waiting for longest, until a sixteenth is free', () => {
  const pending = new PendingBytes(1_600)
  const members = [3, 1, 4, 0, 2].map((sinceMs) => new Member(sinceMs, payload(400)))
  for (const { payloads } of members) for (const each of payloads) pending.note(each)
  expect(pending.isDue).toBe(true)
  pending.relieve(members, 10)
  expect(members.map(({ isCut }) => isCut)).toEqual([false, true, false, true, false])
  expect(pending.isDue).toBe(false)
})

test('with false nothing is ever too much', () => {
  const pending = new PendingBytes(false)
  for (let n = 0; n < 100; n++) pending.note(payload(10_000))
  expect(pending.isDue).toBe(false)
})

test('a hub whose transports hold too much cuts those that have waited for longest, and no others', async () => {
  const slow: string[] = []
  const limits = {
    maxBufferBytes: 4_096,
    maxPendingBytesTotal: 12_000,
    maxUnsentMs: 3_600_000,
    staleMs: false,
  } as const
  const { hub, open, settle } = await startScene(limits, [], {
    observer: { onSlow: (subscriber, cause) => slow.push(`${subscriber.request.selectors.join()} ${cause}`) },
  })
  const streams = []
  for (let n = 0; n < 8; n++) {
    const transport = new FakeTransport()
    streams.push(await open(`own.${n},all`, {}, transport))
    transport.isStalled = true
  }
  await hub.publish({ topic: 'all', data: 'x'.repeat(1_000) })
  await settle(10)
  const order = [5, 2, 7, 0, 1, 3, 4, 6]
  for (const n of order) {
    await hub.publish({ topic: `own.${n}`, data: 'x'.repeat(2_000) })
    await settle(10)
  }
  const open1 = streams.map(({ transport }) => transport.isOpen)
  expect(open1.filter((isOpen) => !isOpen).length).toBeGreaterThan(1)
  expect(open1.filter((isOpen) => !isOpen).length).toBeLessThan(8)
  expect(slow.every((line) => line.endsWith('total'))).toBe(true)
  for (const { transport } of streams) transport.settle()
  await settle()
  expect(hub.stats().subscribers).toBe(open1.filter((isOpen) => isOpen).length)
})

test('a hub does not take what a transport has handed on for what waits', async () => {
  const { hub, open, publish, settle } = await startScene({ maxBufferBytes: 4_096, maxPendingBytesTotal: 8_000 })
  const streams = [await open('a'), await open('a')]
  for (let n = 0; n < 50; n++) {
    for (const { transport } of streams) transport.isStalled = true
    await publish('a', 'x'.repeat(2_000))
    for (const { transport } of streams) transport.drain()
    await settle(1)
  }
  expect(streams.map(({ transport }) => transport.isOpen)).toEqual([true, true])
  expect(hub.stats().live).toBe(2)
})

test('a total that is less than one buffer is refused', async () => {
  await expect(startScene({ maxBufferBytes: 8_192, maxPendingBytesTotal: 4_096 })).rejects.toThrow(
    /maxPendingBytesTotal \(4096\) is less than maxBufferBytes/,
  )
})
