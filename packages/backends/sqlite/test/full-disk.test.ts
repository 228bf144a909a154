import type { Position } from '@millrace/protocol'
import type { StoredEvent } from '@millrace/server'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { event, readAll } from './support/events.ts'
import { openLog } from './support/open-log.ts'
import { smallDisk } from './support/small-disk.ts'
import { testFolder } from './support/test-folder.ts'
import type { SqliteLog } from '../src/sqlite-log.ts'

/** Appends events of 2 KiB until one is refused, and says why. */
async function fill(log: SqliteLog, positions: Position[]): Promise<unknown> {
  for (let i = 0; i < 20_000; i++) {
    try {
      positions.push(...(await log.append([event(`topic.${i % 7}`, `${i} `.padEnd(2048, 'x'))])))
    } catch (error) {
      return error
    }
  }
  throw new Error('The disk is never full.')
}

const refusal = (path: string): object => ({
  name: 'LogError',
  code: 'unavailable',
  message: expect.stringContaining(`The disk of ${path} is full`),
})

async function expectWhole(log: SqliteLog, positions: readonly Position[]): Promise<void> {
  expect((await readAll(log)).map(({ position }) => position)).toEqual(positions)
}

test('a full disk refuses appends, reads and tails go on, and when there is room appends do', async ({ skip }) => {
  const disk = smallDisk(3 * 1024)
  if (!disk) {
    skip('a file system cannot be mounted here')
    return
  }
  onTestFinished(() => disk.unmount())
  const path = join(disk.folder, 'full.db')
  const ballast = join(disk.folder, 'ballast')
  writeFileSync(ballast, Buffer.alloc(1024 * 1024))
  const log = openLog(path)
  const told: StoredEvent[] = []
  const tail = await log.tail('head', {
    onEvents: (events) => void told.push(...events),
    onEpoch: () => undefined,
    onInterrupted: () => undefined,
    onResumed: () => undefined,
  })
  const positions: Position[] = []
  expect(await fill(log, positions)).toMatchObject(refusal(path))
  expect(positions.length).toBeGreaterThan(20)
  expect(await fill(log, positions)).toMatchObject(refusal(path))
  await expectWhole(log, positions)

  rmSync(ballast)
  const [next] = await log.append([event('after', 'x'.repeat(10_000))])
  if (next) positions.push(next)
  expect(next?.seq).toBe(positions.length)
  await expectWhole(log, positions)
  expect(told.map(({ position }) => position)).toEqual(positions)
  await tail.close()
  await log.close()

  const again = openLog(path)
  await expectWhole(again, positions)
  await again.close()
})

test('a log that is full makes room by itself when its retention does', async () => {
  const path = join(testFolder(), 'limited.db')
  const topics = [{ match: '>', retention: { maxCount: false, maxBytes: false } }] as const
  const log = openLog(path, { topics }, { maxPageCount: 200 })
  const positions: Position[] = []
  expect(await fill(log, positions)).toMatchObject(refusal(path))
  await expectWhole(log, positions)
  await log.close()

  const less = [{ match: '>', retention: { maxCount: 10 } }]
  const again = openLog(path, { topics: less }, { maxPageCount: 200 })
  await again.evictNow()
  const [next] = await again.append([event('after', 'x'.repeat(10_000))])
  expect(next?.seq).toBe(positions.length + 1)
  await again.evictNow()
  await expectWhole(again, [...positions.slice(-9), next as Position])
  await again.close()
})
