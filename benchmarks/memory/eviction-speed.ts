/**
 * How long one read blocks that names as many patterns as a stream may, none of which matches, over as many topics as
 * the memory log keeps; and what those topics cost.
 * node --expose-gc --conditions=@millrace/source benchmarks/memory/eviction-speed.ts
 */
import { parseSelector, parseTopic, type Selector } from '@millrace/protocol'
import { memory } from '@millrace/server'

const TOPIC_COUNT = 100_000
const PATTERN_COUNT = 100
const READ_COUNT = 9

const cases: { name: string; topic: (i: number) => string; pattern: (i: number) => string }[] = [
  { name: '3 segments', topic: (i) => `u.x${i}.state`, pattern: (i) => `u.*.nothing${i}` },
  {
    name: '16 segments',
    topic: (i) => segments((depth) => (depth === 7 ? `x${i}` : `s${depth}`)),
    pattern: (i) =>
      segments((depth) => (depth === 15 ? `no${i}` : depth === 7 || (i >> depth) & 1 ? '*' : `s${depth}`)),
  },
]

for (const { name, topic, pattern } of cases) {
  const { log } = memory({ topics: [{ match: '>', retention: { maxCount: 1_000 } }] })
  const heapBefore = usedHeapBytes()
  for (let i = 0; i < TOPIC_COUNT; i++) await log.append([{ topic: parseTopic(topic(i)), data: 'x' }])
  const heapMb = (usedHeapBytes() - heapBefore) / 1e6
  const { head } = await log.bounds()
  const selectors: Selector[] = Array.from({ length: PATTERN_COUNT }, (_, i) => parseSelector(pattern(i)))
  const timesMs: number[] = []
  for (let i = 0; i < READ_COUNT; i++) {
    const before = process.cpuUsage()
    await log.read({ after: { ...head, seq: 1 }, selectors, maxCount: 100, maxBytes: 1e6 })
    timesMs.push(process.cpuUsage(before).user / 1000)
  }
  timesMs.sort((a, b) => a - b)
  console.log(
    `${name}: ${timesMs[READ_COUNT >> 1]?.toFixed(1)} ms of CPU a read, about ${heapMb.toFixed(0)} MB of heap`,
  )
  await log.close()
}

function segments(at: (depth: number) => string): string {
  return Array.from({ length: 16 }, (_, depth) => at(depth)).join('.')
}

function usedHeapBytes(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
