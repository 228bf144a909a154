import { SeededRandom } from '@millrace/conformance'
import type { Position } from '@millrace/protocol'
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { event, numbered, readAll } from './support/events.ts'
import { openLog } from './support/open-log.ts'
import { testFolder } from './support/test-folder.ts'

const COMMITS = 40
const PLACES = 12

/** The files of a log that was not closed, and how long its write-ahead log was after each of its appends. */
async function leftFiles(path: string): Promise<{ positions: (readonly Position[])[]; sizes: number[] }> {
  const log = openLog(path)
  const positions: (readonly Position[])[] = []
  const sizes: number[] = []
  for (let i = 1; i <= COMMITS; i++) {
    positions.push(await log.append([event(`topic.${i % 5}`, `${i}`.padEnd(i * 100, 'x')), ...numbered(i % 3, 'news')]))
    sizes.push(statSync(`${path}-wal`).size)
  }
  for (const file of ['', '-wal']) copyFileSync(path + file, `${path}.left${file}`)
  await log.close()
  return { positions, sizes }
}

test.each([
  ['cut off', (bytes: Buffer, at: number): Buffer => bytes.subarray(0, at)],
  [
    'overwritten',
    (bytes: Buffer, at: number): Buffer => {
      const torn = Buffer.from(bytes)
      torn.fill(0xa5, at, Math.min(at + 700, torn.byteLength))
      return torn
    },
  ],
])(
  'a write-ahead log that is %s anywhere is read to its last whole append before that, and who has what is lost is told',
  { timeout: 120_000 },
  async (_how, tear) => {
    const path = join(testFolder(), 'torn.db')
    const { positions, sizes } = await leftFiles(path)
    const whole = readFileSync(`${path}.left-wal`)
    const random = new SeededRandom(7)
    for (let place = 1; place <= PLACES; place++) {
      // Behind the first append: what comes before it is the beginning of the log itself.
      const at = random.integer((sizes[0] ?? 0) + 1, whole.byteLength - 1)
      const kept = positions.slice(0, sizes.filter((size) => size <= at).length)
      const copy = join(testFolder(), 'copy.db')
      copyFileSync(`${path}.left`, copy)
      writeFileSync(`${copy}-wal`, tear(whole, at))

      const log = openLog(copy)
      const stored = (await readAll(log)).map(({ position }) => position)
      expect(stored, `torn at ${at}`).toEqual(kept.flat())
      const [next] = await log.append([event('next')])
      expect(next).toMatchObject({ seq: stored.length + 1 })
      const lost = positions.flat().at(-1) as Position
      const query = { selectors: 'all', maxCount: 9, maxBytes: 9999 } as const
      expect(await log.read({ after: lost, ...query })).toMatchObject({
        kind: 'gap',
        reason: lost.seq > stored.length + 1 ? 'ahead' : 'epoch_changed',
      })
      await log.close()
    }
  },
)
