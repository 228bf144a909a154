import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { NewEvent } from '@millrace/server'
import { formatEventId, type Position } from '@millrace/protocol'
import { sqlite } from '../src/index.ts'
import { event, readAll } from './support/events.ts'
import { HandClock } from './support/hand-clock.ts'
import { openLog } from './support/open-log.ts'
import { testFolder } from './support/test-folder.ts'

const SCRIPT = fileURLToPath(new URL('support/deduping-process.ts', import.meta.url))

function keyed(dedupeKey: string, data: string = dedupeKey): NewEvent {
  return { ...event('news', data), dedupeKey }
}

test('a publisher that repeats after kill -9 and a restart is answered with the first ids, and nothing is stored twice', async () => {
  const path = join(testFolder(), 'killed.db')
  const child = spawn(process.execPath, ['--conditions=@millrace/source', SCRIPT, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
    if (text.split('\n').length > 300) child.kill('SIGKILL')
  })
  await once(child, 'close')
  const answered = text.split('\n').slice(0, -1)
  expect(answered.length).toBeGreaterThan(200)

  const { log } = sqlite(path)
  const ids = new Map<string, string>()
  // Those as well whose answers did not come: nobody knows which of them were stored.
  for (let i = 1; i <= answered.length + 100; i++) {
    const [position] = await log.append([keyed(`key.${i}`)], { publisher: 'child' })
    if (position) ids.set(`key.${i}`, formatEventId(position))
  }
  expect(answered).toEqual(answered.map((_, i) => `key.${i + 1} ${ids.get(`key.${i + 1}`)}`))
  const stored = await readAll(log)
  expect(new Set(stored.map(({ data }) => data)).size).toBe(stored.length)
  expect(stored).toHaveLength(answered.length + 100)
  await log.close()
})

test('the window of a dedupe key goes on while nobody has the file open', async () => {
  const path = join(testFolder(), 'window.db')
  const wallMs = 1_700_000_000_000
  const open = (afterMs: number): ReturnType<typeof openLog> =>
    openLog(path, { dedupeWindowMs: 60_000, clock: new HandClock(wallMs + afterMs) })
  const log = open(0)
  const first = await log.append([keyed('a')])
  await log.close()
  const again = open(60_000)
  expect(await again.append([keyed('a')])).toEqual(first)
  await again.close()
  const late = open(60_001)
  expect(await late.append([keyed('a')])).toMatchObject([{ seq: 2 }])
  await late.close()
})

test('a repeated event is answered with its id in the epoch that the log is in', async () => {
  const path = join(testFolder(), 'epoch.db')
  const log = openLog(path)
  const [first] = await log.append([keyed('a')])
  await log.close()
  // A sudden end of the machine: the run before did not say that it had ended.
  const crashed = openLog(path)
  await crashed.append([keyed('b')])
  for (const file of ['', '-wal']) copyFileSync(path + file, `${path}.copy${file}`)
  await crashed.close()
  const next = openLog(`${path}.copy`, { bootId: 'boot-2' })
  const { epoch } = await next.bounds()
  expect(epoch).not.toBe(first?.epoch)
  expect(await next.append([keyed('a')])).toEqual([{ ...first, epoch }])
  await next.close()
})

test('a full memory of dedupe keys refuses new ones, not old ones or events without, until some are too old', async () => {
  const path = join(testFolder(), 'bound.db')
  const clock = new HandClock()
  const log = openLog(path, { maxDedupeKeys: 3, dedupeWindowMs: 10_000, clock })
  const first = await log.append([keyed('a'), keyed('b')])
  const refusal = { code: 'full', message: expect.stringContaining('maxDedupeKeys') }
  await expect(log.append([keyed('c'), keyed('d')])).rejects.toMatchObject(refusal)
  expect(await log.append([keyed('c')])).toMatchObject([{ seq: 3 }])
  await expect(log.append([event('news', 'plain'), keyed('d')])).rejects.toMatchObject(refusal)
  expect(await log.append([keyed('b'), keyed('a')])).toEqual([first[1], first[0]])
  expect(await log.append([event('news', 'plain')])).toMatchObject([{ seq: 4 }])
  clock.pass(10_001)
  expect(await log.append([keyed('d'), keyed('e'), keyed('f')])).toMatchObject([{ seq: 5 }, { seq: 6 }, { seq: 7 }])
  await expect(log.append([keyed('g')])).rejects.toMatchObject(refusal)
  await log.close()
})

test('an append that is refused leaves those that are stored with it as they are', async () => {
  const log = openLog(join(testFolder(), 'group.db'), { maxDedupeKeys: 1 })
  const settled = await Promise.allSettled([
    log.append([event('news', '1')]),
    log.append([keyed('a', '2'), keyed('b', '3')]),
    log.append([keyed('a', '4'), event('news', '5'), keyed('a', '6')]),
    log.append([keyed('a', '7')], { publisher: 'other' }),
    log.append([event('news', '8')]),
  ])
  const seqs = settled.map((result) =>
    result.status === 'fulfilled' ? result.value.map(({ seq }) => seq) : (result.reason as { code: string }).code,
  )
  expect(seqs).toEqual([[1], 'full', [2, 3, 2], 'full', [4]])
  const stored = await readAll(log)
  expect(stored.map(({ data }) => data)).toEqual(['1', '4', '5', '8'])
  expect(stored.map(({ position }) => position)).toEqual(
    stored.map(({ position }, i): Position => ({ ...position, seq: i + 1 })),
  )
  await log.close()
})

test('what has expired is swept out by itself', async () => {
  const path = join(testFolder(), 'swept.db')
  const clock = new HandClock()
  const log = openLog(path, { dedupeWindowMs: 1000, clock })
  for (let i = 0; i < 4; i++) await log.append(Array.from({ length: 500 }, (_, n) => keyed(`${i}.${n}`)))
  clock.pass(1500)
  await log.append([keyed('last')])
  clock.pass(1000)
  await log.evictNow()
  await log.close()
  const database = new DatabaseSync(path)
  expect(database.prepare('SELECT dedupe_key FROM dedupe').all()).toEqual([{ dedupe_key: 'last' }])
  database.close()
})
