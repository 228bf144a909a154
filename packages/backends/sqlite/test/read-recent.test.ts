import { parseTopic, type Position } from '@millrace/protocol'
import type { StoredEvent } from '@millrace/server'
import { recentEvents } from '@millrace/server/log-parts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readRecent } from '../src/read-recent.ts'
import type { TailSource } from '../src/sqlite-tail.ts'

const topic = parseTopic('a')

function place(seq: number): Position {
  return { epoch: 'e', seq, check: 'abc' }
}

/** A log of events of these sizes, one of which may be missing; pages have 1,000 bytes, or one event. */
function logOf(
  sizes: readonly number[],
  missing = -1,
): { head: Position; kept: StoredEvent[]; scan: TailSource['scan']; readBytes(): number } {
  const all = sizes.map((size, i): StoredEvent => ({
    topic,
    data: 'x'.repeat(size),
    position: place(i + 1),
    timeMs: 0,
  }))
  const kept = all.filter((_, i) => i !== missing)
  let readBytes = 0
  return {
    head: place(sizes.length),
    kept,
    readBytes: () => readBytes,
    async scan(after, to, maxCount) {
      const events: StoredEvent[] = []
      let bytes = 0
      for (const event of kept) {
        const { seq } = event.position
        if (seq <= after.seq || seq > to.seq) continue
        bytes += event.data.length
        if (events.length > 0 && (events.length === maxCount || bytes > 1_000)) {
          return { events, scannedTo: events.at(-1)?.position ?? to }
        }
        events.push(event)
        readBytes += event.data.length
      }
      return Promise.resolve({ events, scannedTo: to })
    },
  }
}

test('reads what a look at the whole log would find', async () => {
  const size = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 3_000 }))
  await fc.assert(
    fc.asyncProperty(
      fc.array(size, { maxLength: 120 }),
      fc.nat({ max: 200 }),
      fc.integer({ min: 1, max: 150 }),
      fc.integer({ min: 1, max: 5_000 }),
      async (sizes, missing, maxCount, maxBytes) => {
        const { head, kept, scan } = logOf(sizes, missing)
        const limits = { maxCount, maxBytes }
        const { after, events } = await readRecent(head, limits, scan)
        const whole = recentEvents(kept, head, limits)
        expect([after.seq, events.map(({ position }) => position.seq)]).toEqual([
          whole.after.seq,
          whole.events.map(({ position }) => position.seq),
        ])
      },
    ),
    { seed: 7, numRuns: 500 },
  )
})

test('reads little more than fits', async () => {
  for (const [size, maxBytes, most] of [
    [100_000, 1_000, 900_000],
    [100_000, 1_000_000, 2_000_000],
    [100, 10_000, 30_000],
  ] as const) {
    const { head, scan, readBytes } = logOf(Array.from({ length: 2_000 }, () => size))
    await readRecent(head, { maxCount: 1_000_000, maxBytes }, scan)
    expect(readBytes(), `of events of ${size} bytes, where ${maxBytes} are asked for`).toBeLessThan(most)
  }
  const { head, scan, readBytes } = logOf(Array.from({ length: 2_000 }, () => 10))
  await readRecent(head, { maxCount: 100, maxBytes: 1_000_000 }, scan)
  expect(readBytes()).toBeLessThan(1_500)
})
