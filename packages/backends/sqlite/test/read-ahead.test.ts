import type { Position } from '@millrace/protocol'
import type { Page } from '@millrace/server'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { SqliteLog } from '../src/sqlite-log.ts'
import { event, numbered } from './support/events.ts'
import { openLog } from './support/open-log.ts'
import { testFolder } from './support/test-folder.ts'

const QUERY = { selectors: 'all', maxCount: 3, maxBytes: 1e6 } as const

async function pageAfter(log: SqliteLog, after: Position | 'oldest'): Promise<Page> {
  const page = await log.read({ after, ...QUERY })
  if (page.kind === 'gap') throw new Error(`a gap: ${page.reason}`)
  return page
}

const dataOf = (page: Page): string[] => page.events.map(({ data }) => data)

test('a replay page by page finds everything, also what is stored meanwhile', async () => {
  const log = openLog(join(testFolder(), 'replay.db'))
  await log.append(numbered(10))
  const found: string[] = []
  let page = await pageAfter(log, 'oldest')
  for (let i = 11; page.scannedTo.seq < page.head.seq || i <= 20; i++) {
    found.push(...dataOf(page))
    if (i <= 20) await log.append([event('news', `${i}`)])
    page = await pageAfter(log, page.scannedTo)
  }
  found.push(...dataOf(page))
  expect(found).toEqual(Array.from({ length: 20 }, (_, i) => `${i + 1}`))
  await log.close()
})

test('a page that was read ahead up to the head is read again: more may have been stored since', async () => {
  const log = openLog(join(testFolder(), 'head.db'))
  await log.append(numbered(5))
  const { scannedTo } = await pageAfter(log, 'oldest')
  // Answered after what was read ahead.
  await log.bounds()
  await log.append([event('news', '6')])
  expect(dataOf(await pageAfter(log, scannedTo))).toEqual(['4', '5', '6'])
  await log.close()
})

test('what was read ahead for one reader is not given to another who asks for something else', async () => {
  const log = openLog(join(testFolder(), 'other.db'))
  await log.append([...numbered(6), ...numbered(6, 'other')])
  const { scannedTo } = await pageAfter(log, 'oldest')
  const other = await log.read({ after: scannedTo, ...QUERY, selectors: ['other'] as never })
  expect(other).toMatchObject({ events: [{ topic: 'other' }, { topic: 'other' }, { topic: 'other' }] })
  const wrong = { ...scannedTo, check: 'zzz' }
  await pageAfter(log, 'oldest')
  expect(await log.read({ after: wrong, ...QUERY })).toMatchObject({ kind: 'gap', reason: 'epoch_changed' })
  expect(dataOf(await pageAfter(log, scannedTo))).toEqual(['4', '5', '6'])
  await log.close()
})
