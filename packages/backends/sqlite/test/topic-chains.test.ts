import { SeededRandom } from '@millrace/conformance'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { TopicChains } from '../src/worker/topic-chains.ts'

test('whatever was asked for before, and whatever was stored or evicted since, the places are those of the topic after the place', () => {
  const wrong: object[] = []
  for (let seed = 1; seed <= 50; seed++) {
    const random = new SeededRandom(seed)
    const database = new DatabaseSync(':memory:')
    database.exec('CREATE TABLE event (seq INTEGER PRIMARY KEY, previous_seq INTEGER)')
    const insert = database.prepare('INSERT INTO event VALUES (?, ?)')
    const evict = database.prepare('DELETE FROM event WHERE seq <= ?')
    const chains = new TopicChains(database)
    const all: number[] = []
    let head = 0
    let evictedTo = 0
    for (let step = 0; step < 200; step++) {
      const what = random.integer(1, 4)
      if (what <= 2) {
        head += random.integer(1, 3)
        insert.run(head, all.at(-1) ?? 0)
        all.push(head)
      } else if (what === 3 && random.integer(1, 4) === 1) {
        evictedTo = random.integer(evictedTo, head)
        evict.run(evictedTo)
      } else {
        const after = random.integer(evictedTo, head + 1)
        const maxCount = random.integer(1, 60)
        const expected = all.filter((seq) => seq > after)
        const found = chains.seqsAfter({ id: 1, lastSeq: all.at(-1) ?? 0 }, after, maxCount)
        const wanted = expected.length > maxCount ? undefined : expected
        if (JSON.stringify(found) !== JSON.stringify(wanted)) wrong.push({ seed, step, found, wanted })
      }
    }
    database.close()
  }
  expect(wrong).toEqual([])
})
