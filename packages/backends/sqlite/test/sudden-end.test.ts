import { SeededRandom } from '@millrace/conformance'
import { formatEventId } from '@millrace/protocol'
import { truncateSync, statSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sqlite } from '../src/index.ts'
import { runAppendingChild } from './support/child.ts'
import { event, numbered, readAll } from './support/events.ts'
import { openLog } from './support/open-log.ts'
import { testFolder } from './support/test-folder.ts'

const ROUNDS = 10

test(
  'every event whose append was answered is there once after each of many kill -9, at its id',
  { timeout: 120_000 },
  async () => {
    const path = join(testFolder(), 'killed.db')
    const random = new SeededRandom(3)
    const answered: string[] = []
    for (let round = 1; round <= ROUNDS; round++) {
      const { lines, stderr } = await runAppendingChild(path, round, random.integer(1, 1500))
      expect(stderr).toBe('')
      expect(lines.length).toBeGreaterThan(0)
      answered.push(...lines)

      const { log } = sqlite(path, { topics: [{ match: '>', retention: { maxCount: false, maxBytes: false } }] })
      const stored = await readAll(log)
      await log.close()
      const found = new Map(stored.map(({ position, data }) => [formatEventId(position), data]))
      const missing = answered.filter((line) => found.get(line.split(' ')[0] as never) !== line.split(' ')[1])
      expect(missing).toEqual([])
      expect(stored.map(({ position }) => position.seq)).toEqual(stored.map((_, i) => i + 1))
      expect(new Set(stored.map(({ data }) => data)).size).toBe(stored.length)
    }
    expect(new Set(answered.map((line) => line.split('-')[0])).size).toBe(1)
  },
)

test('a torn write-ahead log is read to its last whole commit', async () => {
  const path = join(testFolder(), 'torn.db')
  const copy = `${path}-copy`
  const log = openLog(path)
  const sizes: number[] = []
  for (let i = 1; i <= 5; i++) {
    await log.append(numbered(3, `topic.${i}`))
    sizes.push(statSync(`${path}-wal`).size)
  }
  for (const [file, size] of [
    ['', undefined],
    ['-wal', (sizes[3] ?? 0) + 100],
  ] as const) {
    copyFileSync(path + file, copy + file)
    if (size !== undefined) truncateSync(copy + file, size)
  }
  const { head } = await log.bounds()
  await log.close()

  const torn = openLog(copy)
  const stored = await readAll(torn)
  expect(stored.map(({ topic }) => topic)).toEqual([1, 2, 3, 4].flatMap((i) => [i, i, i]).map((i) => `topic.${i}`))
  expect(await torn.append([event('news')])).toMatchObject([{ seq: 13, epoch: head.epoch }])
  await torn.close()
})
