import type { Position } from '@millrace/protocol'
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { SqliteOptions } from '../src/index.ts'
import { numbered, readAll } from './support/events.ts'
import { HandClock } from './support/hand-clock.ts'
import { openLog } from './support/open-log.ts'
import { testFolder } from './support/test-folder.ts'

/** A log that was not closed, as its files are after a sudden end: with three events, of which it returns the positions. */
async function leftOpen(options: SqliteOptions = {}): Promise<{ path: string; positions: readonly Position[] }> {
  const folder = testFolder()
  const path = join(folder, 'left.db')
  const log = openLog(join(folder, 'live.db'), options)
  const positions = await log.append(numbered(3))
  for (const file of ['', '-wal']) copyFileSync(join(folder, `live.db${file}`), path + file)
  await log.close()
  return { path, positions }
}

async function reopen(path: string, options: SqliteOptions): Promise<Position[]> {
  const log = openLog(path, options)
  try {
    const [next] = await log.append(numbered(1))
    const stored = await readAll(log)
    expect(stored.map(({ position }) => position.seq)).toEqual([1, 2, 3, 4])
    expect(stored.at(-1)?.position).toEqual(next)
    return stored.map(({ position }) => position)
  } finally {
    await log.close()
  }
}

test('after a sudden end on the same run of the machine everything keeps its id', async () => {
  const { path, positions } = await leftOpen()
  expect((await reopen(path, {})).slice(0, 3)).toEqual(positions)
})

test('after a sudden end and another start of the machine a new epoch begins, and seqs and checks go on', async () => {
  const { path, positions } = await leftOpen()
  const found = await reopen(path, { bootId: 'boot-2' })
  const [epoch] = new Set(found.map((position) => position.epoch))
  expect(epoch).not.toBe(positions[0]?.epoch)
  expect(found.slice(0, 3)).toEqual(positions.map((position) => ({ ...position, epoch })))
  const log = openLog(path, { bootId: 'boot-2' })
  const old = positions[2] as Position
  expect(await log.read({ after: old, selectors: 'all', maxCount: 9, maxBytes: 999 })).toMatchObject({
    kind: 'gap',
    reason: 'epoch_changed',
  })
  await log.close()
})

test('a log that was closed keeps its epoch over a start of the machine', async () => {
  const path = join(testFolder(), 'closed.db')
  const log = openLog(path)
  const positions = await log.append(numbered(3))
  await log.close()
  expect((await reopen(path, { bootId: 'boot-2' })).slice(0, 3)).toEqual(positions)
})

test('a log whose appends waited for the disk keeps its epoch when the machine went down', async () => {
  const { path, positions } = await leftOpen({ durability: 'power' })
  expect((await reopen(path, { bootId: 'boot-2' })).slice(0, 3)).toEqual(positions)
})

test('a log that lost the file of its newest events begins a new epoch', async () => {
  const { path, positions } = await leftOpen()
  rmSync(`${path}-wal`)
  const log = openLog(path)
  const { epoch, head } = await log.bounds()
  expect(epoch).not.toBe(positions[0]?.epoch)
  expect(head.seq).toBe(0)
  await log.close()
})

test('where nothing names the runs of a machine every sudden end begins a new epoch, and a closed log none', async () => {
  const { path, positions } = await leftOpen()
  const unnamed = { bootId: undefined } as unknown as SqliteOptions
  const found = await reopen(path, unnamed)
  expect(found[0]?.epoch).not.toBe(positions[0]?.epoch)
  const log = openLog(path, unnamed)
  expect((await log.bounds()).epoch).toBe(found[0]?.epoch)
  await log.close()
})

test('seqs go on after everything was evicted, over a restart', async () => {
  const path = join(testFolder(), 'evicted.db')
  const clock = new HandClock()
  const options = { clock, topics: [{ match: '>', retention: { maxAgeMs: 1000 } }] }
  const log = openLog(path, options)
  const positions = await log.append(numbered(3))
  clock.pass(5000)
  await log.evictNow()
  expect(await readAll(log)).toEqual([])
  await log.close()
  const again = openLog(path, options)
  const { oldest, head } = await again.bounds()
  expect([oldest, head]).toEqual([positions[2], positions[2]])
  expect((await again.snapshot('all')).events).toMatchObject([{ position: positions[2], data: '3' }])
  const after = positions[1] as Position
  const gap = await again.read({ after, selectors: 'all', maxCount: 9, maxBytes: 999 })
  expect(gap).toMatchObject({ kind: 'gap', reason: 'too_old', oldest: positions[2] })
  expect(await again.append(numbered(1))).toMatchObject([{ seq: 4, epoch: head.epoch }])
  await again.close()
})

test('time in which nobody has the file open ages its events, a wall clock that was set back does not bring them back', async () => {
  const path = join(testFolder(), 'aged.db')
  const topics = [{ match: '>', retention: { maxAgeMs: 10_000 } }]
  const wallMs = 1_700_000_000_000
  const log = openLog(path, { topics, clock: new HandClock(wallMs) })
  await log.append(numbered(1))
  await log.close()
  for (const [nextWallMs, count] of [
    [wallMs + 9_000, 1],
    [wallMs - 86_400_000, 1],
    [wallMs - 86_400_000 + 1_500, 0],
  ] as const) {
    const again = openLog(path, { topics, clock: new HandClock(nextWallMs) })
    await again.evictNow()
    expect((await readAll(again)).length, `at ${nextWallMs - wallMs} ms`).toBe(count)
    await again.close()
  }
})

test('log time does not fall over a restart under a wall clock that was set back', async () => {
  const path = join(testFolder(), 'time.db')
  const topics = [{ match: '>', retention: { maxAgeMs: false } }] as const
  for (const [i, wallMs] of [1.7e12, 1.6e12, 1.8e12].entries()) {
    const log = openLog(path, { topics, clock: new HandClock(wallMs) })
    await log.append(numbered(1))
    const times = (await readAll(log)).map(({ timeMs }) => timeMs)
    expect(times).toEqual([1.7e12, 1.7e12, 1.8e12].slice(0, i + 1))
    await log.close()
  }
})

test('other rules take over what is there', async () => {
  const path = join(testFolder(), 'rules.db')
  const log = openLog(path)
  await log.append([...numbered(20, 'a'), ...numbered(20, 'b'), ...numbered(20, 'a')])
  await log.close()
  const topics = [{ match: 'a', retention: { maxCount: 5 } }]
  for (const _ of [1, 2]) {
    const again = openLog(path, { topics })
    await again.evictNow()
    const seqs = (await readAll(again)).map(({ position }) => position.seq)
    expect(seqs).toEqual([56, 57, 58, 59, 60])
    const b = await again.read({ after: 'oldest', selectors: ['b'] as never, maxCount: 99, maxBytes: 9999 })
    expect(b).toMatchObject({ kind: 'page', events: { length: 20 } })
    await again.close()
  }
})

test('topics that were forgotten stay forgotten over a restart, and nothing of theirs is lost in silence', async () => {
  const path = join(testFolder(), 'forgotten.db')
  const options = { maxTopics: 3, topics: [{ match: '>', retention: { maxCount: 4 } }] }
  const log = openLog(path, options)
  const { head: origin } = await log.bounds()
  await log.append(Array.from({ length: 12 }, (_, i) => numbered(1, `topic.${i + 1}`)).flat())
  await log.evictNow()
  const before = await log.snapshot('all')
  await log.close()
  const again = openLog(path, options)
  expect(await again.snapshot('all')).toEqual(before)
  expect(before.partial).toBe(true)
  const query = { selectors: ['topic.1'] as never, maxCount: 9, maxBytes: 999 }
  expect(await again.read({ after: origin, ...query })).toMatchObject({ kind: 'gap', reason: 'too_old' })
  await again.append(numbered(1, 'topic.1'))
  expect(await again.read({ after: origin, ...query })).toMatchObject({ kind: 'gap', reason: 'too_old' })
  await again.close()
  const third = openLog(path, options)
  expect(await third.read({ after: origin, ...query })).toMatchObject({ kind: 'gap', reason: 'too_old' })
  await third.close()
})
