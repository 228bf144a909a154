import { HubError } from '@millrace/server'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sqlite, type SqliteOptions } from '../src/index.ts'
import { testFolder } from './support/test-folder.ts'

test.each<[SqliteOptions | object, string]>([
  [{ maxTopic: 5 }, 'The SQLite backend has no option "maxTopic": it has topics, maxTopics, maxStateKeys'],
  [{ maxTopics: 0 }, 'maxTopics cannot be 0: give a whole number of topics from 1 to 10000000.'],
  [{ maxTopics: 1.5 }, 'maxTopics cannot be 1.5'],
  [{ durability: 'none' }, 'durability cannot be "none": use "process" or "power".'],
  [{ topics: [{ match: 'a b' }] }, 'topics[0].match'],
  [{ topics: [{ match: 'a', retention: { maxCount: 0 } }] }, 'topics[0].retention.maxCount cannot be 0'],
])('%j is refused before a file is made: %s', (options, message) => {
  const folder = testFolder()
  expect(() => sqlite(join(folder, 'none.db'), options)).toThrow(
    expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining(message) }),
  )
  expect(() => sqlite(join(folder, 'none.db'), options)).toThrow(HubError)
  expect(readdirSync(folder)).toEqual([])
})

test('an option that is undefined is one that is not given', async () => {
  const none = { topics: undefined, maxTopics: undefined, durability: undefined, bootId: undefined }
  const backend = sqlite(join(testFolder(), 'log.db'), none as object)
  expect(await backend.log.bounds()).toMatchObject({ head: { seq: 0 } })
  await backend.log.close()
})
