import assert from 'node:assert/strict'
import type { EventLog, NewEvent, TopicRule } from '@millrace/server'
import {
  assertGap,
  assertRejects,
  at,
  event,
  numbered,
  range,
  readAll,
  readPage,
  selectors,
  seqsOf,
  topic,
  type LogCase,
} from './log-case.ts'

type Retention = NonNullable<TopicRule['retention']>

function value(name: string, key: string | undefined, data: string): NewEvent {
  return { topic: topic(name), data, ...(key === undefined ? {} : { key }) }
}

/** Topics below `s` are state topics. */
function stateRules(retention: Retention = {}): readonly TopicRule[] {
  return [{ match: 's.>', kind: 'state', retention }, { match: '>' }]
}

async function stateOf(log: EventLog): Promise<string[]> {
  const { events } = await log.snapshot('all', { of: 'state' })
  return events.map((stored) => `${stored.topic} ${stored.key ?? '(none)'} ${stored.data}`)
}

export const stateCases: readonly LogCase[] = [
  {
    name: 'a read leaves out the events of state topics, whatever the selectors',
    clause: 'read: events of state topics are left out, as if no selector matched them',
    async body(test) {
      const names = ['s.a', 'news', 's.b', 's.a', 'news', 's.a']
      const { log, positions } = await test.openWith(
        names.map((name) => event(name)),
        { topics: stateRules() },
      )
      for (const after of ['oldest', at(positions, 0)] as const) {
        for (const wanted of ['all', selectors('>'), selectors('news', 's.*')] as const) {
          for (const maxCount of [1, 100]) {
            assert.deepEqual(seqsOf(await readAll(log, { after, selectors: wanted, maxCount })), [2, 5])
          }
        }
        const page = await readPage(log, { after, selectors: selectors('s.a') })
        assert.deepEqual([page.events, page.scannedTo], [[], at(positions, 6)])
      }
      assert.deepEqual(seqsOf(await readAll(log, { after: at(positions, 3) })), [5], 'they are positions all the same')
    },
  },
  {
    name: 'the events of state topics are handed to tails, in order with all others',
    clause: 'State topics: their events are ordered with all others and handed to tails',
    async body(test) {
      const { log, positions } = await test.openWith([value('s.a', 'k', '1'), event('news')], { topics: stateRules() })
      const [live] = await test.tail(log, 'head')
      const [behind] = await test.tail(log, at(positions, 0))
      await log.append([value('s.a', 'k', '2'), event('news'), value('s.b', undefined, '3')])
      await test.soon(Promise.all([live.untilSeq(5), behind.untilSeq(5)]), 'the tails to reach the head')
      live.assertUnbroken(2, 5)
      behind.assertUnbroken(0, 5)
      assert.deepEqual(
        behind.events.map((stored) => [stored.topic, stored.key, stored.data]),
        [
          ['s.a', 'k', '1'],
          ['news', undefined, 'of news'],
          ['s.a', 'k', '2'],
          ['news', undefined, 'of news'],
          ['s.b', undefined, '3'],
        ],
      )
    },
  },
  {
    name: 'a snapshot of state has the newest value of each key of each state topic, oldest first',
    clause: 'SnapshotKind `state`: the newest value of each key of each state topic',
    async body(test) {
      const { log } = await test.openWith(
        [
          value('s.a', 'one', 'old'),
          value('s.a', 'two', '2'),
          value('s.b', 'one', '3'),
          event('news'),
          value('s.a', 'one', '5'),
          value('s.b', undefined, 'old'),
          value('s.a', 'One', '7'),
          value('s.b', '', '8'),
        ],
        { topics: stateRules() },
      )
      const expected: [Parameters<typeof log.snapshot>[0], number[]][] = [
        ['all', [2, 3, 5, 7, 8]],
        [selectors('s.a'), [2, 5, 7]],
        [selectors('s.b', 's.a', 's.b'), [2, 3, 5, 7, 8]],
        [selectors('s.*', 's.b'), [2, 3, 5, 7, 8]],
        [selectors('news'), []],
        [[], []],
      ]
      for (const [wanted, seqs] of expected) {
        const { events, partial } = await log.snapshot(wanted, { of: 'state' })
        assert.deepEqual(seqsOf(events), seqs, `for ${String(wanted)}`)
        assert.equal(partial, false)
      }
    },
  },
  {
    name: 'a snapshot of log topics has nothing of state topics',
    clause: 'SnapshotKind `log`: the last event of each log topic; @default log',
    async body(test) {
      const { log } = await test.openWith([event('s.a'), event('news'), value('s.b', 'k', '3')], {
        topics: stateRules(),
      })
      for (const options of [undefined, {}, { of: 'log' }] as const) {
        for (const wanted of ['all', selectors('>', 's.a')] as const) {
          assert.deepEqual(seqsOf((await log.snapshot(wanted, options)).events), [2])
        }
      }
    },
  },
  {
    name: 'empty data, null and any key are values of their own',
    clause: 'EventContent.key; StoredEvent; no value is taken for none',
    async body(test) {
      const { log } = await test.openWith(
        [
          value('s.a', 'empty', 'something'),
          value('s.a', 'empty', ''),
          { ...value('s.a', 'null', 'null'), json: true },
          value('s.a', 'é', 'composed'),
          value('s.a', 'e\u0301', 'decomposed'),
          value('s.a', '__proto__', 'x'),
          value('s.a', 'a\nb \u0000 😀', 'strange'),
          value('s.a.b', '', 'of a deeper topic'),
          value('s.a', 'b', 'of the topic above'),
        ],
        { topics: stateRules() },
      )
      const { events } = await log.snapshot('all', { of: 'state' })
      assert.deepEqual(seqsOf(events), range(2, 9))
      assert.deepEqual([events[0]?.data, events[1]?.data, events[1]?.json], ['', 'null', true])
      assert.deepEqual(events[5]?.key, 'a\nb \u0000 😀')
    },
  },
  {
    name: 'the first rule that matches decides whether a topic is a state topic',
    clause: 'State topics: which topics are of kind `state` is set by the log’s rules',
    async body(test) {
      const topics: readonly TopicRule[] = [
        { match: 's.log', kind: 'log' },
        { match: 's.*', kind: 'state' },
        { match: 's.>', kind: 'log' },
        { match: '>', kind: 'state' },
      ]
      const names = ['s.log', 's.a', 's.a.b', 'other', '@alice']
      const { log } = await test.openWith(
        names.map((name) => event(name)),
        { topics },
      )
      assert.deepEqual(seqsOf(await readAll(log)), [1, 3])
      assert.deepEqual(seqsOf((await log.snapshot('all', { of: 'state' })).events), [2, 4, 5])
    },
  },
  {
    name: 'the eviction of state values is no gap, and does not hold back or move the oldest position',
    clause: 'State topics: their eviction is no gap; Bounds.oldest: of whatever log topic',
    async body(test) {
      const values = range(1, 30).map((i) => value('s.a', `${i % 2}`, `${i}`))
      const { log, positions } = await test.openWith([value('s.old', undefined, 'x'), event('news'), ...values], {
        topics: [{ match: 's.>', kind: 'state', retention: { maxCount: 1 } }, { match: '>' }],
      })
      assert.deepEqual((await log.bounds()).oldest, at(positions, 1))
      for (const wanted of ['all', selectors('s.a'), selectors('>'), selectors('news')] as const) {
        for (const seq of [0, 1, 2, 10, 30]) await readPage(log, { after: at(positions, seq), selectors: wanted })
      }
      const { log: ofState, positions: theirs } = await test.openWith(values, { topics: stateRules({ maxCount: 1 }) })
      assert.deepEqual((await ofState.bounds()).oldest, theirs.at(-1), 'without log events it is the head')
    },
  },
  {
    name: 'the newest value of a key is beyond the reach of retention, for snapshots and for tails',
    clause:
      'State topics: the newest value of each key is kept, for tails too, and counts towards no limit of its rule',
    async body(test) {
      const topics = stateRules({ maxCount: 1, maxBytes: 1 })
      const given = range(1, 20).map((i) => value('s.a', `${i}`, `${i}`))
      const { log, handle, positions } = await test.openWith(given, { topics })
      await log.append([value('s.a', '7', 'newer')])
      await handle.settle?.()
      const newest = [...range(1, 6), ...range(8, 21)]
      assert.deepEqual(seqsOf((await log.snapshot('all', { of: 'state' })).events), newest)
      const [record] = await test.tail(log, at(positions, 0))
      await test.soon(record.untilSeq(21), 'the tail to reach the head')
      assert.deepEqual(record.seqs, newest)
    },
  },
  {
    name: 'superseded values are kept for tails within maxCount of their rule, and no longer',
    clause: 'State topics: superseded values are kept within the limits of their rule',
    async body(test) {
      const { log, positions } = await test.openWith(
        range(1, 10).map((i) => value('s.a', undefined, `${i}`)),
        { topics: stateRules({ maxCount: 3 }) },
      )
      const [record] = await test.tail(log, at(positions, 0))
      await test.soon(record.untilSeq(10), 'the tail to reach the head')
      assert.deepEqual(record.seqs, [7, 8, 9, 10])
    },
  },
  {
    name: 'the newest value of a key does not age, and what was superseded long ago is evicted',
    clause: 'State topics: superseded values are evicted; so is their age counted',
    needs: ['advanceClock'],
    async body(test) {
      const { log, handle, positions } = await test.openWith([value('s.a', 'k', '1'), value('s.a', 'other', '2')], {
        topics: stateRules({ maxAgeMs: 1000 }),
      })
      await log.append([value('s.a', 'k', '3')])
      await handle.advanceClock?.(1000)
      await handle.settle?.()
      const [early] = await test.tail(log, at(positions, 0))
      await test.soon(early.untilSeq(3), 'the tail to reach the head')
      assert.deepEqual(early.seqs, [1, 2, 3])
      await handle.advanceClock?.(1)
      await handle.settle?.()
      const [late] = await test.tail(log, at(positions, 0))
      await test.soon(late.untilSeq(3), 'the tail to reach the head')
      assert.deepEqual(late.seqs, [2, 3])
      await handle.advanceClock?.(86_400_000)
      await handle.settle?.()
      assert.deepEqual(await stateOf(log), ['s.a other 2', 's.a k 3'])
    },
  },
  {
    name: 'beyond maxStateKeys nothing of a list is stored, and it is refused with full; no key is forgotten',
    clause: 'State topics: an append with a key beyond `maxStateKeys` stores nothing and rejects with `full`',
    needs: ['maxStateKeys'],
    async body(test) {
      const options = { topics: stateRules({ maxAgeMs: 1 }), maxStateKeys: 3 }
      const { log, positions } = await test.openWith([value('s.a', 'k', '1'), value('s.b', 'k', '2')], options)
      const beyond = [event('news'), value('s.a', 'x', ''), value('s.a', 'y', '')]
      await assertRejects(log.append(beyond), 'full', { passes: false })
      assert.deepEqual((await log.bounds()).head, positions.at(-1), 'nothing of the list is stored')
      await log.append([value('s.a', 'x', '3'), ...numbered(20), value('s.a', 'x', '4')])
      for (const one of [value('s.a', undefined, ''), value('s.c', 'k', '')]) {
        await assertRejects(log.append([one]), 'full')
      }
      await log.append([value('s.a', 'k', '5'), event('no.key'), { ...event('no.key'), key: 'of a log topic' }])
      assert.deepEqual(await stateOf(log), ['s.b k 2', 's.a x 4', 's.a k 5'])
    },
  },
  {
    name: 'a log that forgets topics forgets no state, and tells no gap for it',
    clause: 'State topics: no key is ever forgotten; read: left out, as if no selector matched them',
    needs: ['maxTopics'],
    async body(test) {
      const { log, positions } = await test.openWith(
        [value('s.a', 'k', '1'), value('s.b', 'k', '2'), ...range(1, 20).map((i) => event(`topic.${i}`))],
        {
          topics: [
            { match: 's.>', kind: 'state' },
            { match: '>', retention: { maxCount: 2 } },
          ],
          maxTopics: 1,
        },
      )
      assert.deepEqual(await stateOf(log), ['s.a k 1', 's.b k 2'])
      assert.equal((await log.snapshot('all', { of: 'state' })).partial, false)
      for (const names of [['s.a'], ['s.nobody']]) {
        await readPage(log, { after: at(positions, 0), selectors: selectors(...names) })
        assert.equal((await log.snapshot(selectors(...names))).partial, false)
      }
      await assertGap(log, 'too_old', { after: at(positions, 0), selectors: selectors('topic.1') })
    },
  },
]
