import type { Bounds, Snapshot, StoredEvent } from '@millrace/server'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { MIGRATIONS, versionOf } from '../src/worker/schema.ts'
import { event, readAll } from './support/events.ts'
import { HandClock } from './support/hand-clock.ts'
import { openLog } from './support/open-log.ts'
import { testFolder } from './support/test-folder.ts'

// A file that the first version has written, and what it answered then: some topics evicted, two forgotten.
const OPTIONS = {
  topics: [
    { match: 'quiet.>', retention: { maxCount: 1 } },
    { match: '>', retention: { maxCount: 20 } },
  ],
  maxTopics: 6,
} as const
const fixture = (name: string): Buffer => readFileSync(new URL(`fixtures/${name}`, import.meta.url))
const found = JSON.parse(fixture('version-1.json').toString()) as {
  bounds: Bounds
  snapshot: Snapshot
  events: StoredEvent[]
}

function oldFile(): string {
  const path = join(testFolder(), 'old.db')
  writeFileSync(path, gunzipSync(fixture('version-1.db.gz')))
  return path
}

test('a file of the first version opens, becomes one of this version, and keeps everything', async () => {
  const path = oldFile()
  for (const _ of [1, 2]) {
    const log = openLog(path, { ...OPTIONS, clock: new HandClock(1_700_000_001_000) })
    expect(await log.bounds()).toEqual(found.bounds)
    expect(await readAll(log)).toEqual(found.events)
    expect(await log.snapshot('all')).toEqual(found.snapshot)
    const query = { selectors: ['quiet.a'] as never, maxCount: 9, maxBytes: 999 }
    const { epoch } = found.bounds
    const old = { epoch, seq: 3, check: 'aaa' }
    expect(await log.read({ after: old, ...query })).toMatchObject({ kind: 'gap', reason: 'too_old' })
    await log.close()
  }
  const database = new DatabaseSync(path)
  expect(versionOf(database)).toBe(MIGRATIONS.length)
  database.close()
})

test('a file of the first version can have what the first version did not know', async () => {
  const topics = [{ match: 'price.>', kind: 'state' }, ...OPTIONS.topics] as const
  const log = openLog(oldFile(), { ...OPTIONS, topics, clock: new HandClock(1_700_000_001_000) })
  const positions = await log.append([
    { ...event('price.gold', '7'), key: 'bid', dedupeKey: 'one' },
    { ...event('news.1', 'the end'), end: true, except: 'me' },
  ])
  expect(positions.map(({ seq }) => seq)).toEqual([32, 33])
  expect(await log.append([{ ...event('price.gold', '8'), dedupeKey: 'one' }])).toEqual(positions.slice(0, 1))
  expect((await log.snapshot('all', { of: 'state' })).events).toMatchObject([{ data: '7', key: 'bid' }])
  expect((await log.snapshot('all', { of: 'ended' })).events).toMatchObject([{ end: true, except: 'me' }])
  await log.registry.put('key', 'value', 1000)
  expect(await log.registry.get('key')).toBe('value')
  await log.close()
})
