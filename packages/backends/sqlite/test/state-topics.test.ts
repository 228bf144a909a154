import type { Selector } from '@millrace/protocol'
import type { NewEvent, SnapshotOptions, StoredEvent, TopicRule } from '@millrace/server'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { SqliteLog } from '../src/sqlite-log.ts'
import { event, numbered, readAll } from './support/events.ts'
import { HandClock } from './support/hand-clock.ts'
import { openLog } from './support/open-log.ts'
import { testFolder } from './support/test-folder.ts'

const STATE: readonly TopicRule[] = [{ match: 'price.>', kind: 'state', retention: { maxCount: 3 } }]

function value(topic: string, key: string | undefined, data: string): NewEvent {
  return key === undefined ? event(topic, data) : { ...event(topic, data), key }
}

async function valuesOf(log: SqliteLog, options: SnapshotOptions = {}): Promise<string[]> {
  const { events } = await log.snapshot('all', { of: 'state', ...options })
  return events.map(({ topic, key, data }) => `${topic}/${key ?? ''}=${data}`)
}

test('values and ends are there after a restart, and events without a key are told from those with an empty one', async () => {
  const path = join(testFolder(), 'values.db')
  const log = openLog(path, { topics: STATE })
  await log.append([value('price.gold', 'bid', '1'), value('price.gold', undefined, '2'), event('news', 'n')])
  await log.append([{ ...value('price.gold', 'bid', '3'), end: true }, value('price.tin', '', '4')])
  const before = await Promise.all((['state', 'ended', 'log'] as const).map((of) => log.snapshot('all', { of })))
  expect(before.map(({ events }) => events.map(({ data }) => data))).toEqual([['2', '3', '4'], ['3'], ['n']])
  expect(before[0]?.events.map((each) => 'key' in each)).toEqual([false, true, true])
  await log.close()
  const again = openLog(path, { topics: STATE })
  expect(await Promise.all((['state', 'ended', 'log'] as const).map((of) => again.snapshot('all', { of })))).toEqual(
    before,
  )
  await again.append([value('price.gold', 'bid', '5')])
  expect((await again.snapshot('all', { of: 'ended' })).events).toEqual([])
  await again.close()
})

test('replaced values are kept for tails within the limits of their rule, newest values whatever those are', async () => {
  const log = openLog(join(testFolder(), 'tail.db'), { topics: STATE })
  const { head: origin } = await log.bounds()
  await log.append([value('price.a', undefined, 'a1'), value('price.b', undefined, 'b1'), event('news', 'n')])
  for (let i = 2; i <= 8; i++) await log.append([value('price.a', undefined, `a${i}`)])
  await log.evictNow()
  const found: string[] = []
  const tail = await log.tail(origin, {
    onEvents: (events) => void found.push(...events.map(({ data }) => data)),
    onEpoch: () => undefined,
    onInterrupted: () => undefined,
    onResumed: () => undefined,
  })
  await expect.poll(() => found.at(-1)).toBe('a8')
  expect(found).toEqual(['b1', 'n', 'a5', 'a6', 'a7', 'a8'])
  await tail.close()
  expect((await readAll(log)).map(({ data }) => data)).toEqual(['n'])
  expect(
    await log.read({ after: origin, selectors: ['price.>'] as unknown as Selector[], maxCount: 9, maxBytes: 999 }),
  ).toMatchObject({ kind: 'page', events: [] })
  await log.close()
})

test('a key beyond maxStateKeys is refused also after a restart, and none is forgotten', async () => {
  const path = join(testFolder(), 'bound.db')
  const options = { topics: STATE, maxStateKeys: 3 }
  const log = openLog(path, options)
  await log.append([value('price.a', 'x', '1'), value('price.a', 'y', '2'), value('price.b', 'x', '3')])
  await log.close()
  for (const maxStateKeys of [3, 1]) {
    const again = openLog(path, { ...options, maxStateKeys })
    await expect(again.append([event('news'), value('price.b', 'y', '4')])).rejects.toMatchObject({
      code: 'full',
      message: expect.stringContaining('maxStateKeys'),
    })
    await again.append([value('price.b', 'x', '5')])
    expect(await valuesOf(again)).toEqual(['price.a/x=1', 'price.a/y=2', 'price.b/x=5'])
    expect(await readAll(again)).toEqual([])
    await again.close()
  }
})

test('a log topic that becomes a state topic has the newest kept event of each key as its values', async () => {
  const path = join(testFolder(), 'to-state.db')
  const log = openLog(path, { topics: [{ match: 'price.old', retention: { maxCount: 1 } }] })
  await log.append([value('price.a', 'x', '1'), value('price.a', 'y', '2'), value('price.a', 'x', '3'), ...numbered(2)])
  await log.append([value('price.a', undefined, '4'), value('price.old', 'o', '5'), value('price.old', 'p', '6')])
  await log.evictNow()
  await log.close()
  for (const _ of [1, 2]) {
    const again = openLog(path, { topics: STATE })
    expect(await valuesOf(again)).toEqual(['price.a/y=2', 'price.a/x=3', 'price.a/=4', 'price.old/p=6'])
    expect((await readAll(again)).map(({ topic }) => topic)).toEqual(['news', 'news'])
    expect((await again.snapshot('all')).events).toMatchObject([{ topic: 'news' }])
    await again.close()
  }
})

test('a log topic of which no event is kept becomes a state topic with its last event as its value', async () => {
  const path = join(testFolder(), 'last-to-state.db')
  const clock = new HandClock()
  const log = openLog(path, { clock, topics: [{ match: '>', retention: { maxAgeMs: 1000 } }] })
  await log.append([value('price.a', 'x', '1'), value('price.a', 'y', '2')])
  clock.pass(2000)
  await log.evictNow()
  await log.close()
  const again = openLog(path, { clock, topics: STATE })
  expect(await valuesOf(again)).toEqual(['price.a/y=2'])
  await again.append([value('price.a', 'y', '3')])
  expect(await valuesOf(again)).toEqual(['price.a/y=3'])
  await again.close()
})

test('a state topic that becomes a log topic has its newest value as its last event, and who was behind is told of a gap', async () => {
  const path = join(testFolder(), 'to-log.db')
  const log = openLog(path, { topics: STATE })
  const { head: origin } = await log.bounds()
  const positions = await log.append([value('price.a', 'x', '1'), value('price.a', 'y', '2'), ...numbered(1)])
  await log.close()
  const again = openLog(path)
  const query = { selectors: ['price.a'] as unknown as Selector[], maxCount: 9, maxBytes: 999 }
  expect((await again.snapshot('all')).events.map(({ data }) => data)).toEqual(['2', '1'])
  expect((await again.snapshot('all', { of: 'state' })).events).toEqual([])
  expect(await again.read({ after: origin, ...query })).toMatchObject({ reason: 'too_old', oldest: positions[1] })
  expect(await again.read({ after: origin, selectors: 'all', maxCount: 9, maxBytes: 999 })).toMatchObject({
    reason: 'too_old',
  })
  await again.append([value('price.a', 'x', '3')])
  const page = await again.read({ after: positions[1] as never, ...query })
  expect(page).toMatchObject({ kind: 'page', events: [{ data: '3', key: 'x' }] })
  await again.close()
})

test('one run under the wrong rules loses no value: a topic that is a state topic again has those that nothing replaced', async () => {
  const path = join(testFolder(), 'back.db')
  const log = openLog(path, { topics: STATE })
  await log.append([value('price.a', 'x', '1'), value('price.a', 'y', '2'), value('price.b', undefined, '3')])
  await log.close()
  const wrong = openLog(path)
  await wrong.append([value('price.a', 'x', '4'), value('price.a', 'z', '5'), value('price.a', 'z', '6')])
  await wrong.close()
  const right = openLog(path, { topics: STATE })
  expect(await valuesOf(right)).toEqual(['price.a/y=2', 'price.b/=3', 'price.a/x=4', 'price.a/z=6'])
  await right.close()
})

test('values that may have been replaced by what was evicted meanwhile do not come back', async () => {
  const path = join(testFolder(), 'stale.db')
  const log = openLog(path, { topics: STATE })
  await log.append([value('price.a', 'x', '1'), value('price.a', 'y', '2')])
  await log.close()
  const wrong = openLog(path, { topics: [{ match: '>', retention: { maxCount: 1 } }] })
  await wrong.append([value('price.a', 'x', '3'), value('price.a', 'z', '4')])
  await wrong.evictNow()
  await wrong.close()
  const right = openLog(path, { topics: STATE })
  expect(await valuesOf(right)).toEqual(['price.a/z=4'])
  await right.close()
})

test('a snapshot in pages leaves out what was replaced meanwhile, whatever its limits', async () => {
  const log = openLog(join(testFolder(), 'pages.db'), { topics: STATE })
  const many = Array.from({ length: 30 }, (_, i) => value(`price.${i % 3}`, `${i}`, `${i}`))
  await log.append([...many, ...Array.from({ length: 30 }, (_, i) => event(`news.${i}`, `${i}`))])
  for (const of of ['state', 'log'] as const) {
    const found: StoredEvent[] = []
    const first = await log.snapshot('all', { of, maxCount: 7 })
    found.push(...first.events)
    const late = of === 'state' ? value('price.2', '29', 'late') : event('news.29', 'late')
    await log.append([late])
    let { next } = first
    while (next) {
      const page = await log.snapshot('all', { of, cursor: next, maxBytes: 5 })
      expect(page.at).toEqual(first.at)
      found.push(...page.events)
      next = page.next
    }
    expect(found.map(({ data }) => data)).toEqual(Array.from({ length: 29 }, (_, i) => `${i}`))
  }
  const foreign = { at: { epoch: 'zzzzzz', seq: 1, check: 'abc' }, afterSeq: 0 }
  await expect(log.snapshot('all', { cursor: foreign })).rejects.toMatchObject({ code: 'invalid' })
  await log.close()
})
