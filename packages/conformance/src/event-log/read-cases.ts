import assert from 'node:assert/strict'
import type { ReadQuery } from '@millrace/server'
import {
  assertRejects,
  at,
  event,
  numbered,
  range,
  readAll,
  readPage,
  selectors,
  seqsOf,
  type LogCase,
} from './log-case.ts'

const MIXED = ['a', 'a.b', 'a.b.c', 'b', '@alice', 'a.x', '@bob', 'a.b'].map((name) => event(name))

export const readCases: readonly LogCase[] = [
  {
    name: 'a read after any position returns exactly the events after it, oldest first',
    clause:
      'Reads on from a position, oldest first; ReadQuery.after: the position of the last event that the reader has',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(30))
      for (const after of positions) {
        const page = await readPage(log, { after })
        assert.deepEqual(seqsOf(page.events), range(after.seq + 1, 30))
      }
    },
  },
  {
    name: 'a read from the oldest of a log that evicted nothing returns everything',
    clause: "`'oldest'` starts at the oldest event kept",
    async body(test) {
      const { log, positions } = await test.openWith(MIXED)
      assert.deepEqual(await readAll(log), await readAll(log, { after: at(positions, 0) }))
      assert.deepEqual(seqsOf(await readAll(log)), range(1, 8))
    },
  },
  {
    name: 'a read returns the events that match any selector, each once',
    clause: 'ReadQuery.selectors: events whose topic matches any of these',
    async body(test) {
      const { log } = await test.openWith(MIXED)
      const expected: [string[], number[]][] = [
        [['a'], [1]],
        [['a.b'], [2, 8]],
        [['*'], [1, 4]],
        [['a.*'], [2, 6, 8]],
        [['a.>'], [2, 3, 6, 8]],
        [['*.b'], [2, 8]],
        [['>'], [1, 2, 3, 4, 6, 8]],
        [['@alice'], [5]],
        [
          ['a.b', 'a.*', '>', '@bob'],
          [1, 2, 3, 4, 6, 7, 8],
        ],
        [['nobody', 'nobody.>'], []],
        [[], []],
      ]
      for (const [names, seqs] of expected) {
        const page = await readPage(log, { selectors: selectors(...names) })
        assert.deepEqual(seqsOf(page.events), seqs, `for ${names.join(' ')}`)
        assert.equal(page.scannedTo.seq, 8)
      }
    },
  },
  {
    name: "the selectors 'all' stand for every topic, users' own included",
    clause: "`'all'` is every topic, users' own included",
    async body(test) {
      const { log } = await test.openWith(MIXED)
      assert.deepEqual(seqsOf(await readAll(log, { selectors: 'all' })), range(1, 8))
    },
  },
  {
    name: 'a page has at most maxCount events, and the pages together have each event once',
    clause: 'ReadQuery.maxCount: at most this many events',
    async body(test) {
      const { log } = await test.openWith(range(1, 40).flatMap((i) => [event('odd', `${i}`), event('even', `${i}`)]))
      for (const maxCount of [1, 2, 3, 7, 40, 41, 1000]) {
        const page = await readPage(log, { maxCount, selectors: selectors('even') })
        assert.ok(
          page.events.length <= maxCount,
          `${page.events.length} events where at most ${maxCount} were asked for`,
        )
        const all = await readAll(log, { maxCount, selectors: selectors('even') })
        assert.deepEqual(
          seqsOf(all),
          range(1, 40).map((i) => i * 2),
        )
      }
    },
  },
  {
    name: 'a page has at most maxBytes of data, but at least one event',
    clause: 'ReadQuery.maxBytes: at most this many bytes of `data`, but always at least one event',
    async body(test) {
      const sizes = [10, 500, 1, 2000, 3, 3, 3, 700]
      const { log } = await test.openWith(sizes.map((size) => event('news', 'x'.repeat(size))))
      for (const maxBytes of [1, 100, 600, 2500, 100_000]) {
        const page = await readPage(log, { maxBytes })
        const text = page.events.map(({ data }) => data).join('')
        assert.ok(page.events.length > 0, 'a page before the head must have at least one event here')
        const isFit = page.events.length === 1 || text.length <= maxBytes
        assert.ok(isFit, `${text.length} bytes where at most ${maxBytes} were asked for`)
        assert.deepEqual(seqsOf(await readAll(log, { maxBytes })), range(1, sizes.length))
      }
    },
  },
  {
    name: 'scannedTo is a position of the log between after and head, and everything up to it was returned',
    clause: 'Page.scannedTo: each matching event in (`after`, `scannedTo`] is in `events`, and no other',
    async body(test) {
      const { log, positions } = await test.openWith(range(1, 60).map((i) => event(i % 3 === 0 ? 'third' : 'other')))
      for (const query of [{ maxCount: 1 }, { maxCount: 4 }, { maxBytes: 20 }, {}] satisfies Partial<ReadQuery>[]) {
        for (const after of positions) {
          const page = await readPage(log, { ...query, after, selectors: selectors('third') })
          const { scannedTo } = page
          assert.deepEqual(
            scannedTo,
            at(positions, scannedTo.seq),
            'scannedTo must be the position of an event, check included',
          )
          assert.ok(scannedTo.seq > after.seq || after.seq === 60, `${scannedTo.seq} is not later than ${after.seq}`)
          const thirds = range(after.seq + 1, scannedTo.seq).filter((seq) => seq % 3 === 0)
          assert.deepEqual(seqsOf(page.events), thirds, `after ${after.seq}, scanned to ${scannedTo.seq}`)
        }
      }
    },
  },
  {
    name: 'a read of which nothing is left ends at the head',
    clause: 'Page.head: the head at the time of the read. `scannedTo` equals it when everything was looked at',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(5))
      const head = at(positions, 5)
      for (const names of [['news'], ['nobody'], ['>']]) {
        const page = await readPage(log, { after: head, selectors: selectors(...names) })
        assert.deepEqual(page, { kind: 'page', events: [], scannedTo: head, head })
      }
      const { scannedTo, head: told } = await readPage(log, { after: at(positions, 2) })
      assert.deepEqual([scannedTo, told], [head, head])
    },
  },
  {
    name: 'an empty log is read as an empty page at seq 0',
    clause: 'Bounds.head: seq 0 when there was none',
    async body(test) {
      const { log } = await test.open()
      const { head } = await log.bounds()
      const empty = { kind: 'page', events: [], scannedTo: head, head }
      assert.deepEqual(await readPage(log, { after: 'oldest' }), empty)
      assert.deepEqual(await readPage(log, { after: head }), empty)
    },
  },
  {
    name: 'a rare topic is found in a long log, in pages that always move on',
    clause: 'Page.events: may be empty before the head: a log may bound the work of one read',
    async body(test) {
      const { log, positions } = await test.openWith([
        ...numbered(15_000),
        event('rare'),
        ...numbered(15_000),
        event('rare'),
      ])
      const rare = selectors('rare')
      assert.deepEqual(seqsOf(await readAll(log, { selectors: rare })), [15_001, 30_002])
      assert.deepEqual(seqsOf(await readAll(log, { selectors: rare, after: at(positions, 15_001) })), [30_002])
      assert.deepEqual(await readAll(log, { selectors: selectors('nobody.>') }), [])
    },
  },
  {
    name: 'the lists of a page belong to the caller',
    clause: 'Ownership: lists that are returned belong to the caller',
    async body(test) {
      const { log } = await test.openWith(numbered(5))
      const [record] = await test.tail(log, 'head')
      const page = await readPage(log, {})
      ;(page.events as unknown[]).length = 0
      const positions = await log.append(numbered(3))
      ;(positions as unknown[]).length = 0
      const snapshot = await log.snapshot('all')
      ;(snapshot.events as unknown[]).length = 0
      await test.soon(record.untilSeq(8), 'the tail to get all events')
      assert.deepEqual(seqsOf(await readAll(log)), range(1, 8))
      assert.equal((await log.snapshot('all')).events.length, 1)
    },
  },
  {
    name: 'reads among pending appends see a beginning of the log without a hole',
    clause: 'Concurrency: any method may be called while others are pending',
    async body(test) {
      const { log } = await test.open()
      const appends: Promise<unknown>[] = []
      const pages = []
      for (const i of range(1, 60)) {
        appends.push(log.append(numbered(i % 4)))
        pages.push(readPage(log, {}))
      }
      let reached = 0
      for (const page of await Promise.all(pages)) {
        assert.deepEqual(seqsOf(page.events), range(1, page.scannedTo.seq))
        assert.ok(page.scannedTo.seq <= page.head.seq)
        assert.ok(page.head.seq >= reached, 'the head must not fall')
        reached = page.head.seq
      }
      await Promise.all(appends)
    },
  },
  {
    name: 'a query that makes no sense is refused with invalid',
    clause: 'ReadQuery.maxCount: integer, at least 1; LogError `invalid`: an argument breaks the contract',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(3))
      const broken: Partial<ReadQuery>[] = [
        { maxCount: 0 },
        { maxCount: 1.5 },
        { maxCount: Number.NaN },
        { maxBytes: 0 },
        { after: { ...at(positions, 1), seq: -1 } },
        { after: { ...at(positions, 1), seq: 1.5 } },
      ]
      for (const query of broken) {
        await assertRejects(
          log.read({ after: 'oldest', selectors: 'all', maxCount: 10, maxBytes: 1000, ...query }),
          'invalid',
        )
      }
    },
  },
]
