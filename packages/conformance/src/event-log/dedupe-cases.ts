import assert from 'node:assert/strict'
import type { EventLog, NewEvent } from '@millrace/server'
import { assertRejects, at, event, numbered, range, readAll, seqsOf, topic, type LogCase } from './log-case.ts'

function keyed(dedupeKey: string, data: string = `of ${dedupeKey}`): NewEvent {
  return { topic: topic('orders'), data, dedupeKey }
}

async function seqsAppended(log: EventLog, events: readonly NewEvent[], publisher?: string): Promise<number[]> {
  const positions = await log.append(events, publisher === undefined ? undefined : { publisher })
  return positions.map(({ seq }) => seq)
}

async function keptData(log: EventLog): Promise<string[]> {
  return (await readAll(log)).map(({ data }) => data)
}

export const dedupeCases: readonly LogCase[] = [
  {
    name: 'an event with a dedupeKey that was stored is not stored again, and is answered with the first position',
    clause: 'append: is not stored again: its position is that of the first one',
    async body(test) {
      const { log } = await test.openWith(numbered(2))
      const [record] = await test.tail(log, 'head')
      const first = await log.append([keyed('one', 'first')])
      await log.append(numbered(2))
      assert.deepEqual(await log.append([keyed('one', 'first')]), first)
      const other = { ...keyed('one', 'other data'), topic: topic('elsewhere') }
      assert.deepEqual(await log.append([other]), first, 'the key alone counts, whatever else the event says')
      await log.append([event('last')])
      assert.deepEqual(await keptData(log), ['1', '2', 'first', '1', '2', 'of last'])
      await test.soon(record.untilSeq(6), 'the tail to reach the head')
      record.assertUnbroken(2, 6)
      const stored = (await readAll(log)).find(({ data }) => data === 'first')
      assert.ok(stored && !('dedupeKey' in stored), 'the key is not part of what is stored')
    },
  },
  {
    name: 'of a list what was stored before is answered with its position, and the others are stored in their order',
    clause: 'append: so it is for a second one inside the list. The others of the list are stored',
    async body(test) {
      const { log } = await test.openWith([keyed('a'), keyed('b')])
      const seqs = await seqsAppended(log, [
        event('x'),
        keyed('b', 'again'),
        keyed('c', 'new'),
        keyed('c', 'second'),
        event('x'),
        keyed('a', 'again'),
        keyed('c', 'third'),
        keyed('d', 'new'),
      ])
      assert.deepEqual(seqs, [3, 2, 4, 4, 5, 1, 4, 6])
      assert.deepEqual(await keptData(log), ['of a', 'of b', 'of x', 'new', 'of x', 'new'])
      assert.deepEqual(await seqsAppended(log, [keyed('c'), keyed('b')]), [4, 2])
      assert.equal((await log.bounds()).head.seq, 6, 'a list of repetitions stores nothing')
    },
  },
  {
    name: 'two publishers with the same dedupeKey never meet',
    clause: 'AppendOptions.publisher: two publishers never meet; @default the empty string',
    async body(test) {
      const { log } = await test.open()
      assert.deepEqual(await seqsAppended(log, [keyed('bc')], 'a'), [1])
      assert.deepEqual(await seqsAppended(log, [keyed('c')], 'ab'), [2])
      assert.deepEqual(await seqsAppended(log, [keyed('bc')], 'b'), [3])
      assert.deepEqual(await seqsAppended(log, [keyed('bc')]), [4])
      assert.deepEqual(await seqsAppended(log, [keyed('abc')]), [5])
      assert.deepEqual(await seqsAppended(log, [keyed('bc')], ''), [4])
      assert.deepEqual(await seqsAppended(log, [keyed('bc')], 'a'), [1])
      assert.deepEqual(await seqsAppended(log, [keyed('c')], 'ab'), [2])
    },
  },
  {
    name: 'the same key sent by many appends at once is stored once',
    clause: 'append: is not stored again; any method may be called while others are pending',
    async body(test) {
      const { log } = await test.open()
      const answers = await Promise.all(range(1, 60).map((i) => seqsAppended(log, [keyed(`${i % 3}`), event('x')])))
      assert.deepEqual(
        answers.map(([seq]) => seq),
        range(1, 60).map((i) => answers[(i - 1) % 3]?.[0]),
      )
      assert.equal((await readAll(log)).filter((stored) => stored.topic === 'orders').length, 3)
      assert.equal((await log.bounds()).head.seq, 63)
    },
  },
  {
    name: 'a dedupeKey is remembered for dedupeWindowMs from the time of storing, and no longer',
    clause: 'append: within `dedupeWindowMs` (from the time of storing)',
    needs: ['advanceClock', 'dedupeWindow'],
    async body(test) {
      const { handle, log } = await test.openWith([], { dedupeWindowMs: 1000 })
      assert.deepEqual(await seqsAppended(log, [keyed('a')]), [1])
      await handle.advanceClock?.(600)
      assert.deepEqual(await seqsAppended(log, [keyed('a'), keyed('b')]), [1, 2])
      await handle.advanceClock?.(400)
      assert.deepEqual(await seqsAppended(log, [keyed('a')]), [1])
      await handle.advanceClock?.(1)
      assert.deepEqual(await seqsAppended(log, [keyed('a'), keyed('b')]), [3, 2], 'a repetition must not prolong it')
      await handle.advanceClock?.(600)
      assert.deepEqual(await seqsAppended(log, [keyed('b'), keyed('a')]), [4, 3])
    },
  },
  {
    name: 'dedupe keys do not follow a step of the wall clock',
    clause: 'append: within `dedupeWindowMs` (by the clock that ages go by)',
    needs: ['stepWallClock', 'dedupeWindow'],
    async body(test) {
      const { handle, log } = await test.openWith([keyed('a')], { dedupeWindowMs: 60_000 })
      await handle.stepWallClock?.(3_600_000)
      assert.deepEqual(await seqsAppended(log, [keyed('a'), keyed('b')]), [1, 2])
      await handle.stepWallClock?.(-7_200_000)
      assert.deepEqual(await seqsAppended(log, [keyed('a'), keyed('b')]), [1, 2])
    },
  },
  {
    name: 'dedupe keys outlive the retention of their events',
    clause: 'append: an event whose `dedupeKey` the same publisher has stored within `dedupeWindowMs`',
    async body(test) {
      const topics = [{ match: '>', retention: { maxCount: 2 } }]
      const { log } = await test.openWith([keyed('a'), ...numbered(20)], { topics })
      assert.deepEqual(await seqsAppended(log, [keyed('a'), keyed('b')]), [1, 22])
    },
  },
  {
    name: 'beyond maxDedupeKeys nothing of a list is stored, and it is refused with full until keys expire',
    clause:
      'Dedupe: bounded (the log’s `maxDedupeKeys`): an append beyond it stores nothing and rejects with `full`; LogError: passes',
    needs: ['advanceClock', 'dedupeWindow'],
    async body(test) {
      const { handle, log, positions } = await test.openWith([keyed('a'), keyed('b')], {
        dedupeWindowMs: 1000,
        maxDedupeKeys: 3,
      })
      await assertRejects(log.append([event('x'), keyed('c'), keyed('d')]), 'full', { passes: true })
      assert.deepEqual((await log.bounds()).head, positions.at(-1), 'nothing of the list is stored')
      assert.deepEqual(await seqsAppended(log, [event('x'), keyed('c'), keyed('c')]), [3, 4, 4])
      await assertRejects(log.append([keyed('d')]), 'full')
      await assertRejects(log.append([keyed('a')], { publisher: 'other' }), 'full')
      assert.deepEqual(await seqsAppended(log, [keyed('b'), event('x')]), [2, 5], 'it goes on without new keys')
      await handle.advanceClock?.(1001)
      assert.deepEqual(await seqsAppended(log, [keyed('d'), keyed('c')]), [6, 7])
    },
  },
  {
    name: 'a list that was refused leaves none of its keys behind',
    clause: 'Stores the events, all or none',
    guarantee: 'atomicBatch',
    async body(test) {
      const { log } = await test.open()
      await assertRejects(log.append([keyed('a'), { topic: topic('x') } as NewEvent]), 'invalid')
      assert.deepEqual(await seqsAppended(log, [keyed('a')]), [1])
      assert.deepEqual(seqsOf(await readAll(log)), [1])
    },
  },
  {
    name: 'the older value of a state topic that is sent again does not become the newest',
    clause: 'append: is not stored again; snapshot of `state`: the newest value of each key',
    async body(test) {
      const { log } = await test.openWith([], { topics: [{ match: 'orders', kind: 'state' }] })
      await log.append([keyed('first', 'old'), keyed('second', 'new')])
      assert.deepEqual(await seqsAppended(log, [keyed('first', 'old')]), [1])
      const { events } = await log.snapshot('all', { of: 'state' })
      assert.deepEqual(
        events.map(({ data }) => data),
        ['new'],
      )
    },
  },
  {
    name: 'in a new epoch a repetition is answered with a position of that epoch',
    clause: 'append: the position of the first one, in the log’s present epoch',
    needs: ['newEpoch'],
    async body(test) {
      const { handle, log, positions } = await test.openWith([keyed('a')])
      await handle.beginEpoch?.()
      const [position] = await log.append([keyed('a')])
      const { epoch } = await log.bounds()
      assert.notEqual(at(positions, 1).epoch, epoch)
      assert.equal(position?.epoch, epoch)
    },
  },
]
