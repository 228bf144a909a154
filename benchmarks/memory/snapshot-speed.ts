/**
 * How long a snapshot in pages takes, and its longest page: of all topics, of a pattern that matches few, of named topics.
 * node --conditions=@millrace/source benchmarks/memory/snapshot-speed.ts
 */
import { parseSelector, parseTopic, type Selector } from '@millrace/protocol'
import { memory, type EventLog, type SnapshotKind, type SnapshotOptions } from '@millrace/server'

const TOPIC_COUNT = 100_000
const PAGE_COUNT = 256
const ROUNDS = 7

for (const kind of ['log', 'state', 'ended'] as const) {
  const log = await filled(kind)
  for (const [what, selectors] of [
    ['all', 'all'],
    ['one topic in a thousand', [parseSelector('*.rare')]],
    ['100 named topics', Array.from({ length: 100 }, (_, i) => parseSelector(`t${i * 997}.common`))],
  ] as const) {
    const rounds: { count: number; totalMs: number; longestMs: number }[] = []
    for (let i = 0; i < ROUNDS; i++) rounds.push(await pages(log, kind, selectors))
    rounds.sort((one, other) => one.totalMs - other.totalMs)
    const { count, totalMs, longestMs } = rounds[Math.floor(ROUNDS / 2)] ?? { count: 0, totalMs: 0, longestMs: 0 }
    const figures = `${count} events in ${totalMs.toFixed(1)} ms, the longest page ${longestMs.toFixed(2)} ms`
    process.stdout.write(`${kind}, ${what}: ${figures}\n`)
  }
  await log.close()
}

async function filled(kind: SnapshotKind): Promise<EventLog> {
  const { log } = memory({
    topics: [{ match: '>', kind: kind === 'state' ? 'state' : 'log', retention: { maxCount: 1_000 } }],
    maxTopics: TOPIC_COUNT,
    maxStateKeys: TOPIC_COUNT,
  })
  // Twice, in another order: the last events do not lie in the order of the topics.
  for (const step of [1, 7919]) {
    for (let i = 0; i < TOPIC_COUNT; i++) {
      const n = (i * step) % TOPIC_COUNT
      const topic = parseTopic(`t${n}.${n % 1_000 === 0 ? 'rare' : 'common'}`)
      await log.append([{ topic, data: 'x'.repeat(150), ...(kind === 'ended' ? { end: true } : {}) }])
    }
  }
  return log
}

async function pages(
  log: EventLog,
  of: SnapshotKind,
  selectors: readonly Selector[] | 'all',
): Promise<{ count: number; totalMs: number; longestMs: number }> {
  let cursor: SnapshotOptions['cursor']
  let count = 0
  let longestMs = 0
  const startMs = performance.now()
  do {
    const beganMs = performance.now()
    const page = await log.snapshot(selectors, { of, maxCount: PAGE_COUNT, ...(cursor && { cursor }) })
    longestMs = Math.max(longestMs, performance.now() - beganMs)
    count += page.events.length
    cursor = page.next
  } while (cursor)
  return { count, totalMs: performance.now() - startMs, longestMs }
}
