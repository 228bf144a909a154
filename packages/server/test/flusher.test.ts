import { compileSelectors, parseSelector, parseTopic } from '@millrace/protocol'
import type { Payload } from '@millrace/server'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FakeTransport } from './support/fake-transport.ts'
import { startScene } from './support/hub-scene.ts'

const SEED = 20_262

/** Notes how much each write was. */
class MeasuringTransport extends FakeTransport {
  readonly writes: number[] = []

  override write(payload: Payload): boolean {
    this.writes.push(payload.bytes.byteLength)
    return super.write(payload)
  }
}

test('events of a pass leave in the order of the log, each subscriber getting its own part of them', async () => {
  const event = fc.record({ topic: fc.constantFrom('a', 'b', 'b.c', 'd'), type: fc.constantFrom('x', 'y') })
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 30 }), async (published) => {
      const { hub, open, settle } = await startScene()
      const wants = ['a', 'a,b', 'b,a,d', 'b.*', '>'].flatMap((names) => [
        { names, types: [] },
        { names, types: ['y'] },
      ])
      const streams = await Promise.all(wants.map(({ names, types }) => open(names, { types })))
      const before = hub.stats().passes
      await hub.publish(published.map((each, data) => ({ ...each, data })))
      await settle(hub.limits.flushIntervalMs)
      expect(hub.stats().passes).toBe(before + 1)
      for (const [i, { names, types }] of wants.entries()) {
        const isWanted = compileSelectors(names.split(',').map((name) => parseSelector(name)))
        const wanted = published.flatMap(({ topic, type }, data) =>
          isWanted(parseTopic(topic)) && (types.length === 0 || type === 'y') ? [String(data)] : [],
        )
        expect(streams[i]?.events().map(({ data }) => data)).toEqual(wanted)
      }
    }),
    { seed: SEED, numRuns: 60 },
  )
})

test('what is more than half a buffer for somebody leaves in several passes', async () => {
  const maxBufferBytes = 4_096
  const { hub, open, settle } = await startScene({ maxBufferBytes, flushIntervalMs: 5 })
  const many = new MeasuringTransport()
  const few = new MeasuringTransport()
  const [all, some] = [await open('a,b', {}, many), await open('b', {}, few)]
  const started = [many.writes.length, few.writes.length]
  const published = Array.from({ length: 400 }, (_, n) => ({ topic: n % 40 === 0 ? 'b' : 'a', data: n }))
  await hub.publish(published)
  await settle(2_000)
  const writes = many.writes.slice(started[0])
  expect(Math.max(...writes)).toBeLessThanOrEqual(maxBufferBytes / 2)
  // Passes are as large as they may be, give or take the search for how many events that is.
  expect(Math.max(...writes)).toBeGreaterThan(maxBufferBytes / 4)
  expect(all.events().map(({ data }) => Number(data))).toEqual(published.map(({ data }) => data))
  expect(some.events().map(({ data }) => Number(data))).toEqual(
    published.filter(({ topic }) => topic === 'b').map(({ data }) => data),
  )
  expect(hub.stats()).toMatchObject({ live: 2, catchingUp: 0 })
})

test('an event that is more than half a buffer by itself leaves alone', async () => {
  const { hub, open, settle } = await startScene({ maxBufferBytes: 4_096, flushIntervalMs: 5 })
  const transport = new MeasuringTransport()
  const { events } = await open('a', {}, transport)
  const started = transport.writes.length
  await hub.publish(['x', 'y'.repeat(3_000), 'z'].map((data) => ({ topic: 'a', data })))
  await settle(100)
  expect(transport.writes.length - started).toBe(3)
  expect(events().map(({ data }) => data.length)).toEqual([1, 3_000, 1])
})
