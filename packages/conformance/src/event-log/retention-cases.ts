import assert from 'node:assert/strict'
import type { EventLog } from '@millrace/server'
import {
  assertGap,
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

async function keptSeqs(log: EventLog): Promise<number[]> {
  return seqsOf(await readAll(log))
}

export const retentionCases: readonly LogCase[] = [
  {
    name: 'of more events than maxCount the newest are kept, and each of those',
    clause: 'Retention: evicts oldest events first within each rule',
    async body(test) {
      const { log, handle } = await test.openWith([], { topics: [{ match: '>', retention: { maxCount: 5 } }] })
      for (const seq of range(1, 20)) {
        await log.append([event(`topic.${seq % 3}`)])
        await handle.settle?.()
        assert.deepEqual(await keptSeqs(log), range(Math.max(1, seq - 4), seq))
      }
    },
  },
  {
    name: 'of more bytes than maxBytes the newest events are kept, and each of those',
    clause: 'TopicRule.retention.maxBytes: UTF-8 bytes of topic, type and data',
    async body(test) {
      // Each of them 20 bytes: 4 of topic, 4 of type, 12 of data.
      const given = range(1, 10).map((i) => ({ ...event('news', `é€${i % 10}`.padEnd(9, '.')), type: 'tick' }))
      const { log } = await test.openWith(given, { topics: [{ match: '>', retention: { maxBytes: 99 } }] })
      assert.deepEqual(await keptSeqs(log), range(7, 10))
      const { log: other } = await test.openWith(given, { topics: [{ match: '>', retention: { maxBytes: 100 } }] })
      assert.deepEqual(await keptSeqs(other), range(6, 10))
    },
  },
  {
    name: 'an event is kept until it is older than maxAgeMs, and evicted then',
    clause: 'TopicRule.retention.maxAgeMs',
    needs: ['advanceClock'],
    async body(test) {
      const { handle, log, positions } = await test.openWith([], {
        topics: [{ match: '>', retention: { maxAgeMs: 1000 } }],
      })
      await log.append([event('news')])
      await handle.advanceClock?.(600)
      const [second] = await log.append([event('news')])
      await handle.advanceClock?.(400)
      await handle.settle?.()
      assert.deepEqual(await keptSeqs(log), [1, 2])
      await handle.advanceClock?.(1)
      await handle.settle?.()
      await assertGap(log, 'too_old', { after: at(positions, 0) })
      assert.deepEqual(await keptSeqs(log), [2])
      await handle.advanceClock?.(1000)
      await handle.settle?.()
      assert.deepEqual(await keptSeqs(log), [])
      const { oldest, head } = await log.bounds()
      assert.deepEqual([oldest, head], [second, second], 'a log of which all is evicted begins at its head')
    },
  },
  {
    name: 'a step of the wall clock back and forth evicts nothing',
    clause: 'A clock that steps does not make `timeMs` fall',
    needs: ['stepWallClock'],
    async body(test) {
      const { log, handle } = await test.openWith(numbered(3), {
        topics: [{ match: '>', retention: { maxAgeMs: 60_000 } }],
      })
      for (const stepMs of [-3_600_000, 3_600_000]) {
        await handle.stepWallClock?.(stepMs)
        await log.append([event('news')])
        await handle.settle?.()
      }
      assert.deepEqual(await keptSeqs(log), range(1, 5))
    },
  },
  {
    name: 'the first rule that matches a topic is the one, and its limits are over all its topics',
    clause: 'TopicRule: the first rule in the list that matches a topic is the one',
    async body(test) {
      const topics = [
        { match: 'chat.vip', retention: { maxCount: 2 } },
        { match: 'chat.>', retention: { maxCount: 3 } },
        { match: 'chat.vip', retention: { maxCount: 1 } },
        { match: '>', retention: { maxCount: 4 } },
      ]
      const names = ['chat.vip', 'chat.a', 'other', 'chat.b', '@alice', 'chat.vip', 'chat.a.x']
      const { log } = await test.openWith(
        [...names, ...names, ...names].map((name) => event(name)),
        { topics },
      )
      const kept = await log.read({ after: 'oldest', selectors: selectors('chat.vip'), maxCount: 99, maxBytes: 9999 })
      assert.deepEqual(kept.kind === 'page' && seqsOf(kept.events), [15, 20])
      assert.deepEqual(
        seqsOf(await readAll(log, { selectors: selectors('chat.a', 'chat.b', 'chat.a.x') })),
        [16, 18, 21],
      )
      assert.deepEqual(seqsOf(await readAll(log, { selectors: selectors('other', '@alice') })), [10, 12, 17, 19])
    },
  },
  {
    name: 'too_old is told for an evicted event that matches, whatever the selector',
    clause: 'an evicted event after it that matches the selectors `too_old`',
    async body(test) {
      const topics = [
        { match: 'a.b', retention: { maxCount: 1 } },
        { match: '@bob', retention: { maxCount: 1 } },
        { match: '>' },
      ]
      const given = ['a.c', 'a.b', '@bob', 'a.b', '@bob', 'a.c'].map((name) => event(name))
      const { log, positions } = await test.openWith(given, { topics })
      // Evicted are 2 (a.b) and 3 (@bob).
      for (const names of [['a.b'], ['a.*'], ['*.b'], ['>'], ['a.>'], ['a.c', 'a.b'], ['nobody', 'a.*']]) {
        for (const seq of [0, 1])
          await assertGap(log, 'too_old', { after: at(positions, seq), selectors: selectors(...names) })
        for (const seq of [2, 3, 4]) await readPage(log, { after: at(positions, seq), selectors: selectors(...names) })
      }
      for (const seq of [0, 1, 2]) {
        await assertGap(log, 'too_old', { after: at(positions, seq), selectors: selectors('@bob') })
        await assertGap(log, 'too_old', { after: at(positions, seq), selectors: 'all' })
      }
      await readPage(log, { after: at(positions, 3), selectors: 'all' })
    },
  },
  {
    name: 'too_old is not told when nothing that matches was evicted',
    clause: 'LogGuarantees.exactEviction: not merely when one may have been',
    guarantee: 'exactEviction',
    async body(test) {
      const topics = [{ match: '>', retention: { maxCount: 3 } }]
      const { log, positions } = await test.openWith([event('quiet'), ...numbered(20, 'busy.one')], { topics })
      for (const names of [
        ['quiet'],
        ['quiet', 'nobody'],
        ['quiet.*'],
        ['busy'],
        ['busy.*.x'],
        ['busy.one.>'],
        ['*'],
        ['@alice'],
      ]) {
        const page = await readPage(log, { after: at(positions, 1), selectors: selectors(...names) })
        assert.deepEqual([page.events, page.scannedTo], [[], page.head], `for ${names.join(' ')}`)
      }
      await assertGap(log, 'too_old', { after: at(positions, 0), selectors: selectors('quiet') })
      await assertGap(log, 'too_old', { after: at(positions, 1), selectors: selectors('busy.*') })
      await readPage(log, { after: at(positions, 18), selectors: 'all' })
      await assertGap(log, 'too_old', { after: at(positions, 17), selectors: 'all' })
    },
  },
  {
    name: 'what one rule evicts leaves the events of another to be read, past the hole',
    clause: 'Page.scannedTo: each matching event in (`after`, `scannedTo`] is in `events`',
    async body(test) {
      const topics = [{ match: 'short', retention: { maxCount: 2 } }, { match: '>' }]
      const { log, positions } = await test.openWith(
        range(1, 300).map((i) => event(i % 10 === 0 ? 'long' : 'short')),
        { topics },
      )
      const long = selectors('long')
      for (const seq of [0, 9, 10, 11, 155, 290, 299]) {
        const events = await readAll(log, { after: at(positions, seq), selectors: long, maxCount: 4 })
        assert.deepEqual(
          seqsOf(events),
          range(seq + 1, 300).filter((i) => i % 10 === 0),
        )
      }
      const short = await readAll(log, { selectors: selectors('short') })
      assert.deepEqual(seqsOf(short), [298, 299])
    },
  },
  {
    name: 'the oldest position is the one just before the oldest event kept, check included',
    clause: 'Bounds.oldest: the position just before the oldest event kept',
    async body(test) {
      const topics = [
        { match: 'slow', retention: { maxCount: 2 } },
        { match: '>', retention: { maxCount: 3 } },
      ]
      const { log, handle, positions } = await test.openWith([], { topics })
      const known = [...positions]
      for (const i of range(1, 60)) {
        known.push(...(await log.append([event(i % 7 === 0 ? 'slow' : 'fast')])))
        await handle.settle?.()
        const slow = range(1, i).filter((seq) => seq % 7 === 0)
        const fast = range(1, i).filter((seq) => seq % 7 !== 0)
        const oldestKept = Math.min(...slow.slice(-2), ...fast.slice(-3))
        assert.deepEqual((await log.bounds()).oldest, at(known, oldestKept - 1))
      }
    },
  },
  {
    name: 'a read from the oldest never gives a gap, and starts after the newest evicted event that matches',
    clause: "`'oldest'` never gives a gap; ReadQuery.after",
    async body(test) {
      const topics = [
        { match: 'short', retention: { maxCount: 2 } },
        { match: '>', retention: { maxCount: 50 } },
      ]
      const { log } = await test.openWith(
        range(1, 40).map((i) => event(i % 2 === 0 ? 'long' : 'short')),
        { topics },
      )
      // Of short 1 to 35 are evicted, of long nothing is.
      assert.deepEqual(
        seqsOf(await readAll(log, { selectors: selectors('long') })),
        range(1, 20).map((i) => i * 2),
      )
      for (const names of [['>'], ['long', 'short']]) {
        for (const maxCount of [1, 2, 100]) {
          assert.deepEqual(seqsOf(await readAll(log, { selectors: selectors(...names), maxCount })), range(36, 40))
        }
      }
    },
  },
  {
    name: 'an event that breaks a limit by itself is handed over and remembered, and evicted',
    clause: 'Retention: even events just stored, if they break a limit by themselves',
    async body(test) {
      const topics = [{ match: '>', retention: { maxBytes: 100 } }]
      const { log, handle, positions } = await test.openWith([event('news')], { topics })
      const [record] = await test.tail(log, 'head')
      const [position] = await log.append([event('news', 'x'.repeat(200))])
      await test.soon(record.untilSeq(2), 'the tail to get it')
      await handle.settle?.()
      await assertGap(log, 'too_old', { after: at(positions, 1) })
      assert.deepEqual((await log.snapshot('all')).events, record.events)
      assert.deepEqual((await log.bounds()).head, position)
      assert.deepEqual(await keptSeqs(log), [])
    },
  },
  {
    name: 'a log that forgot topics tells too_old rather than lose their events in silence',
    clause: 'LogGuarantees.exactEviction: a log that had to forget topics may answer it for those too',
    needs: ['maxTopics'],
    async body(test) {
      const options = { maxTopics: 3, topics: [{ match: '>', retention: { maxCount: 4 } }] }
      const { log, positions } = await test.openWith(
        range(1, 12).map((i) => event(`topic.${i}`)),
        options,
      )
      for (const seq of range(1, 12)) {
        const names = selectors(`topic.${seq}`)
        const result = await log.read({ after: at(positions, 0), selectors: names, maxCount: 9, maxBytes: 999 })
        if (result.kind === 'page') assert.deepEqual(seqsOf(result.events), [seq], `topic.${seq} was lost in silence`)
        else assert.equal(result.reason, 'too_old')
      }
      await assertGap(log, 'too_old', { after: at(positions, 0), selectors: selectors('topic.1') })
      await readPage(log, { after: at(positions, 8), selectors: 'all' })
    },
  },
]
