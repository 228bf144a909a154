import assert from 'node:assert/strict'
import type { Selector } from '@millrace/protocol'
import type { EventLog, Snapshot, SnapshotKind, SnapshotOptions, StoredEvent, TopicRule } from '@millrace/server'
import { assertRising } from './assert-seqs.ts'
import { assertRejects, at, event, range, readAll, selectors, seqsOf, topic, type LogCase } from './log-case.ts'

const RULES: readonly TopicRule[] = [{ match: 's.>', kind: 'state' }, { match: '>' }]
const KINDS: readonly SnapshotKind[] = ['log', 'state', 'ended']
/** A log of any of the cases has fewer topics. */
const MAX_PAGES = 1_000

/** Topics and values of both kinds, of which every third has ended. */
function manyTopics(count: number): Parameters<EventLog['append']>[0] {
  return range(1, count).map((i) => ({
    topic: topic(i % 2 === 0 ? `s.${i % 14}` : `log.${i % 30}`),
    data: 'é'.repeat(i % 5),
    ...(i % 4 === 0 ? { key: `key ${i % 20}` } : {}),
    ...(i % 3 === 0 ? { end: true as const } : {}),
  }))
}

/** All pages of a snapshot, whose cursors must move on. */
async function pagesOf(
  log: EventLog,
  wanted: readonly Selector[] | 'all',
  options: SnapshotOptions,
  between?: () => Promise<unknown>,
): Promise<Snapshot[]> {
  const pages: Snapshot[] = []
  let { cursor } = options
  for (;;) {
    const page = await log.snapshot(wanted, cursor ? { ...options, cursor } : options)
    pages.push(page)
    assert.deepEqual(page.at, pages[0]?.at, 'all pages are of the same position')
    if (!page.next) return pages
    assert.deepEqual(page.next.at, page.at)
    assert.ok(page.next.afterSeq > (cursor?.afterSeq ?? -1), 'a page that is not the last must move on')
    assert.ok(pages.length < MAX_PAGES, 'the pages do not end')
    cursor = page.next
    await between?.()
  }
}

function eventsOf(pages: readonly Snapshot[]): StoredEvent[] {
  return pages.flatMap(({ events }) => [...events])
}

export const snapshotPageCases: readonly LogCase[] = [
  {
    name: 'the pages of a snapshot are together what it is in one',
    clause: 'Snapshot.events: oldest first, over all pages; Snapshot.next: left out on the last page',
    async body(test) {
      const { log } = await test.openWith(manyTopics(120), { topics: RULES })
      for (const of of KINDS) {
        for (const wanted of ['all', selectors('log.*'), selectors('s.2', 's.4', 'log.3', 'log.9'), []] as const) {
          const whole = await log.snapshot(wanted, { of })
          assert.equal(whole.next, undefined)
          assertRising(seqsOf(whole.events), 'the events of a snapshot')
          for (const maxCount of [1, 2, 7, 1000]) {
            const pages = await pagesOf(log, wanted, { of, maxCount })
            assert.deepEqual(eventsOf(pages), whole.events, `${of} of ${String(wanted)} in pages of ${maxCount}`)
            assert.ok(pages.every(({ events }) => events.length <= maxCount))
          }
        }
      }
    },
  },
  {
    name: 'a page of a snapshot has at most maxBytes of data, and one event at least',
    clause: 'SnapshotOptions.maxBytes: at most this many bytes of `data`, but always at least one event',
    async body(test) {
      const { log } = await test.openWith(
        range(1, 40).map((i) => event(`topic.${i}`, 'x'.repeat(i % 8 === 0 ? 5000 : 500))),
      )
      const whole = await log.snapshot('all')
      for (const maxBytes of [1, 1000, 3000, 100_000]) {
        const pages = await pagesOf(log, 'all', { maxBytes })
        assert.deepEqual(eventsOf(pages), whole.events)
        for (const { events } of pages) {
          const bytes = events.reduce((sum, { data }) => sum + data.length, 0)
          assert.ok(bytes <= maxBytes || events.length === 1, `${bytes} bytes in a page of ${maxBytes}`)
        }
        assert.ok(maxBytes < 100_000 || pages.length === 1, 'a page must not end long before its limits')
      }
    },
  },
  {
    name: 'a snapshot without limits is one page, however large',
    clause: 'snapshot: without `maxCount` and `maxBytes` it is one page',
    async body(test) {
      const { log } = await test.openWith(range(1, 20_000).map((i) => event(`topic.${i}`, '')))
      const { events, next } = await log.snapshot('all')
      assert.deepEqual([events.length, next], [20_000, undefined])
      const pages = await pagesOf(log, selectors('topic.7', 'topic.19999', 'nobody'), { maxCount: 1 })
      assert.deepEqual(seqsOf(eventsOf(pages)), [7, 19_999])
      assert.deepEqual(eventsOf(await pagesOf(log, selectors('topic.*'), { maxCount: 300 })), events)
    },
  },
  {
    name: 'what is appended between two pages is left out of the snapshot, with what it replaces, and comes after it',
    clause: 'Snapshot: holds nothing newer; what was replaced after `at` before its page was read is left out',
    async body(test) {
      for (const of of KINDS) {
        const { log } = await test.openWith(manyTopics(60), { topics: RULES })
        const whole = await log.snapshot('all', { of })
        const [record] = await test.tail(log, whole.at)
        let next = 0
        const pages = await pagesOf(log, 'all', { of, maxCount: 2 }, () => {
          const { topic: name, key } = whole.events[whole.events.length - 1 - (next++ % 5)] ?? event('news')
          return log.append([
            event(`new.${next}`),
            { topic: name, data: 'newer', ...(key === undefined ? {} : { key }) },
          ])
        })
        const { head } = await log.bounds()
        await test.soon(record.untilSeq(head.seq), 'the tail to reach the head')
        const events = eventsOf(pages)
        assert.ok(
          events.every(({ position }) => position.seq <= whole.at.seq),
          'nothing newer than `at`',
        )
        const given = new Set(seqsOf(events))
        for (const missing of whole.events.filter(({ position }) => !given.has(position.seq))) {
          const isReplaced = record.events.some((one) => one.topic === missing.topic && one.data === 'newer')
          assert.ok(isReplaced, `seq ${missing.position.seq} is missing, and nothing has replaced it`)
        }
        const known = new Set(seqsOf(whole.events))
        assert.deepEqual(
          seqsOf(events).filter((seq) => !known.has(seq)),
          [],
          'nothing else',
        )
        assert.ok(events.length < whole.events.length, 'what was replaced must be left out')
      }
    },
  },
  {
    name: 'a cursor of another epoch is refused with invalid',
    clause: 'snapshot: rejects with `invalid` for a cursor of another epoch',
    async body(test) {
      const { log } = await test.openWith(manyTopics(20), { topics: RULES })
      const { next } = await log.snapshot('all', { maxCount: 1 })
      assert.ok(next, 'there is more')
      for (const of of KINDS) {
        const cursor = { ...next, at: { ...next.at, epoch: 'other' } }
        await assertRejects(log.snapshot('all', { of, cursor }), 'invalid')
      }
      await log.snapshot('all', { cursor: next })
    },
  },
  {
    name: 'options of a snapshot that make no sense are refused with invalid',
    clause: 'LogError `invalid`: an argument breaks the contract',
    async body(test) {
      const { log, positions } = await test.openWith(manyTopics(20), { topics: RULES })
      const wrong: SnapshotOptions[] = [
        { maxCount: 0 },
        { maxCount: 1.5 },
        { maxBytes: -1 },
        { maxBytes: Number.NaN },
        { of: 'everything' as SnapshotKind },
        { cursor: { at: at(positions, 20), afterSeq: -1 } },
        { cursor: { at: at(positions, 20), afterSeq: 0.5 } },
      ]
      for (const options of wrong) await assertRejects(log.snapshot('all', options), 'invalid')
    },
  },
  {
    name: 'a snapshot of what has ended has the last event of each topic of either kind, if that has end',
    clause: 'SnapshotKind `ended`: the last event of each topic, of either kind, whose last event has `end`',
    async body(test) {
      const end = { end: true } as const
      const { log } = await test.openWith(
        [
          { ...event('job.1'), ...end },
          { ...event('job.2'), ...end },
          event('job.3'),
          { ...event('s.a'), key: 'one', ...end },
          { ...event('s.b'), key: 'one', ...end },
          { ...event('s.b'), key: 'two' },
          { ...event('job.3'), ...end },
          { ...event('job.3'), ...end },
          event('job.2'),
        ],
        { topics: RULES },
      )
      const expected: [Parameters<typeof log.snapshot>[0], number[]][] = [
        ['all', [1, 4, 8]],
        [selectors('job.*'), [1, 8]],
        [selectors('job.2', 'job.3', 's.a'), [4, 8]],
        [selectors('job.2', 's.b', 'nobody'), []],
      ]
      for (const [wanted, seqs] of expected) {
        assert.deepEqual(seqsOf((await log.snapshot(wanted, { of: 'ended' })).events), seqs, `for ${String(wanted)}`)
      }
      assert.ok((await readAll(log)).filter((stored) => stored.end).length === 4, 'the mark is part of the event')
      await log.append([event('job.1'), { ...event('job.2'), ...end }])
      assert.deepEqual(seqsOf((await log.snapshot('all', { of: 'ended' })).events), [4, 8, 11])
    },
  },
  {
    name: 'ended topics are beyond the reach of retention',
    clause: 'Snapshot.events: retention does not touch them',
    async body(test) {
      const { log } = await test.openWith(
        [{ ...event('job.1'), end: true }, ...range(1, 30).map((i) => event(`busy.${i % 3}`))],
        { topics: [{ match: '>', retention: { maxCount: 2 } }] },
      )
      assert.deepEqual(seqsOf((await log.snapshot('all', { of: 'ended' })).events), [1])
    },
  },
  {
    name: 'snapshots among pending appends are of their position, whatever they are of',
    clause: 'Snapshot.at: it holds nothing newer, and reading after it misses nothing',
    async body(test) {
      const { log } = await test.openWith([], { topics: RULES })
      const given = manyTopics(90)
      const pending: Promise<[SnapshotKind, Snapshot]>[] = []
      const appends: Promise<unknown>[] = []
      for (const i of range(0, 29)) {
        appends.push(log.append(given.slice(3 * i, 3 * i + 3)))
        for (const kind of ['state', 'ended'] as const) {
          pending.push(log.snapshot('all', { of: kind }).then((snapshot) => [kind, snapshot]))
        }
      }
      await Promise.all(appends)
      for (const [of, { at: position, events }] of await Promise.all(pending)) {
        const before = given.slice(0, position.seq)
        const isLast = (i: number, isSame: (one: (typeof given)[number]) => boolean): boolean =>
          !before.slice(i + 1).some(isSame)
        const seqs = before.flatMap((one, i) => {
          const isSameTopic = (other: typeof one): boolean => other.topic === one.topic
          const isSameKey = (other: typeof one): boolean => isSameTopic(other) && other.key === one.key
          const isIn =
            of === 'ended'
              ? one.end === true && isLast(i, isSameTopic)
              : one.topic.startsWith('s.') && isLast(i, isSameKey)
          return isIn ? [i + 1] : []
        })
        assert.deepEqual(seqsOf(events), seqs, `${of} as of seq ${position.seq}`)
      }
    },
  },
  {
    name: 'the list of a snapshot belongs to the caller',
    clause: 'Ownership: lists that are returned belong to the caller',
    async body(test) {
      const { log } = await test.openWith(manyTopics(40), { topics: RULES })
      for (const of of KINDS) {
        const first = await log.snapshot('all', { of })
        const copy = [...first.events]
        ;(first.events as StoredEvent[]).length = 0
        assert.deepEqual((await log.snapshot('all', { of })).events, copy)
      }
    },
  },
]
