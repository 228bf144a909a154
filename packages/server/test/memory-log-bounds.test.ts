import { parseSelector, parseTopic } from '@millrace/protocol'
import { expect, test } from 'vitest'
import type { NewEvent, SnapshotOptions } from '../src/log.ts'
import { MemoryLog } from '../src/memory/memory-log.ts'
import { resolveMemoryOptions, type MemoryOptions } from '../src/memory/memory-options.ts'
import { seededChance } from './support/seeded-chance.ts'
import { SteppingClock } from './support/stepping-clock.ts'

function openLog(options: MemoryOptions = {}): { log: MemoryLog; clock: SteppingClock } {
  const clock = new SteppingClock()
  return { log: new MemoryLog(resolveMemoryOptions({ ...options, clock, chance: seededChance(7) })), clock }
}

function event(topic: string, fields: Partial<NewEvent> = {}): NewEvent {
  return { topic: parseTopic(topic), data: 'x', ...fields }
}

test('dedupe keys are forgotten when their time is over, also when nobody calls', async () => {
  const { log, clock } = openLog({
    dedupeWindowMs: 5_000,
    topics: [{ match: '>', retention: { maxAgeMs: false } }],
  })
  for (let i = 0; i < 5_000; i++) await log.append([event('a', { dedupeKey: `${i}` })])
  expect(log.size.dedupeKeyCount).toBe(5_000)
  clock.advance(4_000)
  expect(log.size.dedupeKeyCount).toBe(5_000)
  clock.advance(3_000)
  expect(log.size.dedupeKeyCount).toBe(0)
  expect(clock.timerCount).toBe(0)
})

test('dedupe keys that come and go without end take up no more than those of the window', async () => {
  const { log, clock } = openLog({ dedupeWindowMs: 1_000, maxDedupeKeys: 11 })
  for (let i = 0; i < 5_000; i++) {
    await log.append([event('a', { dedupeKey: `${i}` })])
    clock.pass(100)
  }
  expect(log.size.dedupeKeyCount).toBeLessThanOrEqual(11)
})

test('state values that change without end take up no more than their newest and what retention keeps', async () => {
  const { log } = openLog({ topics: [{ match: '>', kind: 'state', retention: { maxCount: 100 } }] })
  await log.append([event('quiet', { key: 'since long ago' })])
  for (let i = 0; i < 20_000; i++) await log.append([event('busy', { key: `${i % 10}` })])
  const { eventCount, placeCount, stateKeyCount, topicCount } = log.size
  expect([eventCount, stateKeyCount, topicCount]).toEqual([111, 11, 0])
  expect(placeCount).toBeLessThan(2_048)
})

test('a topic that was forgotten has no mark of its end any more', async () => {
  const { log } = openLog({ maxTopics: 2 })
  await log.append([event('a', { end: true }), event('b', { end: true }), event('c')])
  const { events, partial } = await log.snapshot('all', { of: 'ended' })
  expect(events.map(({ topic }) => topic)).toEqual(['b'])
  expect(partial).toBe(true)
})

test('a page of a snapshot costs what it has, not what lies before it', async () => {
  const { log } = openLog()
  for (let i = 0; i < 20_000; i++) await log.append([event(`topic.${i}`)])
  const before = process.cpuUsage()
  let cursor: SnapshotOptions['cursor']
  let count = 0
  do {
    const page = await log.snapshot('all', { maxCount: 1, ...(cursor && { cursor }) })
    count += page.events.length
    cursor = page.next
  } while (cursor)
  expect(count).toBe(20_000)
  // It takes about 20 ms; when each page goes through all before it, some seconds.
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(500)
})

test('the state of many keys of one topic is paged like that of many topics', async () => {
  const { log } = openLog({ topics: [{ match: '>', kind: 'state' }] })
  await log.append(Array.from({ length: 5_000 }, (_, i) => event('one', { key: `${i}` })))
  let cursor: SnapshotOptions['cursor']
  const seqs: number[] = []
  do {
    const page = await log.snapshot([parseSelector('one')], { of: 'state', maxCount: 700, ...(cursor && { cursor }) })
    for (const { position } of page.events) seqs.push(position.seq)
    cursor = page.next
  } while (cursor)
  expect(seqs).toEqual(Array.from({ length: 5_000 }, (_, i) => i + 1))
})
