import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { sqlite } from '../src/index.ts'
import { event } from './support/events.ts'
import { HandClock } from './support/hand-clock.ts'
import { openLog } from './support/open-log.ts'
import { testFolder } from './support/test-folder.ts'

const WALL_MS = 1_700_000_000_000

test('entries are there after a sudden end, for as long as they would have been', async () => {
  const path = join(testFolder(), 'live.db')
  const clock = new HandClock(WALL_MS)
  const log = openLog(path, { clock })
  await log.registry.put('short', '1', 10_000)
  clock.pass(5_000)
  await log.registry.put('taken', '3', 10_000)
  expect(await log.registry.take('taken')).toBe('3')
  // A step of the wall clock while it is open changes nothing.
  clock.step(-3_600_000)
  await log.registry.put('long', '2', 10_000)
  for (const file of ['', '-wal']) copyFileSync(path + file, `${path}.copy${file}`)
  await log.close()
  for (const [passedMs, keys] of [
    [4_999, ['long', 'short']],
    [5_000, ['long']],
    [9_999, ['long']],
    [10_000, []],
  ] as const) {
    const again = openLog(`${path}.copy`, { clock: new HandClock(WALL_MS + 5_000 - 3_600_000 + passedMs) })
    expect([...(await again.registry.list('')).keys()], `after ${passedMs} ms`).toEqual(keys)
    await again.close()
  }
})

test('a full registry refuses new keys, not those that are there, until some have expired', async () => {
  const clock = new HandClock(WALL_MS)
  const { registry } = openLog(join(testFolder(), 'full.db'), { maxEntries: 2, clock })
  await registry.put('a', '1', 1000)
  await registry.put('b', '2', 5000)
  await expect(registry.put('c', '3', 1000)).rejects.toMatchObject({
    name: 'BackendError',
    code: 'full',
    message: expect.stringContaining('maxEntries'),
  })
  await registry.put('b', '4', 5000)
  clock.pass(999)
  expect(await registry.get('a')).toBe('1')
  clock.pass(1)
  expect([await registry.get('a'), await registry.take('a')]).toEqual([undefined, undefined])
  await registry.put('c', '3', 1000)
  expect(await registry.list('')).toEqual(
    new Map([
      ['b', '4'],
      ['c', '3'],
    ]),
  )
})

test('calls in one turn take effect in their order, also among appends', async () => {
  const log = openLog(join(testFolder(), 'order.db'))
  const { registry } = log
  const found = await Promise.all([
    registry.put('a', '1', 60_000),
    registry.get('a'),
    log.append([event('news')]),
    registry.put('a', '2', 60_000),
    registry.take('a'),
    registry.take('a'),
    registry.put('a', '3', 60_000),
    registry.list('a'),
  ])
  expect(found).toEqual([
    undefined,
    '1',
    [expect.objectContaining({ seq: 1 })],
    undefined,
    '2',
    undefined,
    undefined,
    new Map([['a', '3']]),
  ])
  await log.close()
})

test('keys come in the order of their UTF-16 units, whatever their bytes are', async () => {
  const log = openLog(join(testFolder(), 'sorted.db'))
  const keys = ['a', 'a\u{1f600}', 'a\uff5e', 'ab', 'a.b', 'b', 'a\u{10ffff}']
  for (const key of keys) await log.registry.put(key, key, 60_000)
  expect([...(await log.registry.list('a')).keys()]).toEqual(keys.filter((key) => key.startsWith('a')).sort())
  expect([...(await log.registry.list('')).keys()]).toEqual([...keys].sort())
  await log.close()
})

test('what has expired is swept out of the file by itself', async () => {
  const path = join(testFolder(), 'swept.db')
  const clock = new HandClock(WALL_MS)
  const log = openLog(path, { clock })
  await Promise.all(Array.from({ length: 1500 }, (_, i) => log.registry.put(`key.${i}`, 'x', 1000)))
  await log.registry.put('stays', 'x', 60_000)
  clock.pass(2000)
  await log.evictNow()
  await log.close()
  const database = new DatabaseSync(path)
  expect(database.prepare('SELECT key FROM registry').all()).toEqual([{ key: 'stays' }])
  database.close()
})

test('the registry of a closed log refuses with closed', async () => {
  const { log, registry } = sqlite(join(testFolder(), 'closed.db'))
  const pending = registry.put('a', '1', 1000)
  await log.close()
  await expect(pending).resolves.toBeUndefined()
  await expect(registry.get('a')).rejects.toMatchObject({ name: 'BackendError', code: 'closed' })
})
