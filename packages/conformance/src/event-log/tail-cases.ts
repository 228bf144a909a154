import assert from 'node:assert/strict'
import type { Tail } from '@millrace/server'
import { assertRising } from './assert-seqs.ts'
import { assertRejects, at, event, numbered, range, readAll, type LogCase } from './log-case.ts'
import { TailRecord } from './tail-record.ts'

export const tailCases: readonly LogCase[] = [
  {
    name: 'a tail from the head hands over what is appended then, as it is read, each event once and in order',
    clause: 'TailListener.onEvents: events in log order, each exactly once, never an empty list',
    async body(test) {
      const { log } = await test.openWith(numbered(3))
      const [record] = await test.tail(log, 'head')
      for (const count of [1, 5, 0, 2, 30]) await log.append(numbered(count))
      await test.soon(record.untilSeq(41), 'the tail to reach the head')
      record.assertUnbroken(3, 41)
      assert.ok(!record.batchCounts.includes(0), 'an empty list must not be handed over')
      assert.deepEqual(record.events, (await readAll(log)).slice(3))
      assert.equal(record.overlapCount, 0)
    },
  },
  {
    name: 'a tail says after which position it starts',
    clause: 'Tail.start: the first event handed over is the one after this position',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(3))
      const [, atHead] = await test.tail(log, 'head')
      assert.deepEqual(atHead.start, at(positions, 3))
      for (const position of positions) {
        const [, tail] = await test.tail(log, position)
        assert.deepEqual(tail.start, position)
      }
    },
  },
  {
    name: 'a tail from an old position hands over the past and then what comes',
    clause: 'Follows the log: everything after the position that is kept or comes',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(12))
      const records = []
      for (const position of positions) records.push((await test.tail(log, position))[0])
      await log.append(numbered(3))
      for (const [seq, record] of records.entries()) {
        await test.soon(record.untilSeq(15), `the tail from ${seq} to reach the head`)
        record.assertUnbroken(seq, 15)
      }
    },
  },
  {
    name: 'a tail from an old position hands over a long past in parts',
    clause: 'Follows the log: everything after the position that is kept or comes',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(12_000))
      const [record] = await test.tail(log, at(positions, 1))
      await log.append(numbered(2))
      await test.soon(record.untilSeq(12_002), 'the tail to reach the head')
      record.assertUnbroken(1, 12_002)
    },
  },
  {
    name: 'a tail that starts among pending appends misses none after its start and repeats none before it',
    clause: 'Tail.start; any method may be called while others are pending',
    async body(test) {
      const { log } = await test.open()
      const pending: Promise<[TailRecord, Tail]>[] = []
      const appends: Promise<unknown>[] = []
      for (const i of range(1, 40)) {
        appends.push(log.append(numbered(i % 3)))
        pending.push(test.tail(log, 'head'))
      }
      await Promise.all(appends)
      await log.append([event('last')])
      const { head } = await log.bounds()
      for (const [record, { start }] of await Promise.all(pending)) {
        await test.soon(record.untilSeq(head.seq), `the tail from ${start.seq} to reach the head`)
        record.assertUnbroken(start.seq, head.seq)
      }
    },
  },
  {
    name: 'no listener method is called from within append or tail',
    clause: 'TailListener: never from within `tail` or `append`',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(3))
      const record = new TailRecord()
      const opening = log.tail(at(positions, 0), record)
      assert.equal(record.callCount, 0, 'called from within tail()')
      await opening
      await test.soon(record.untilSeq(3), 'the tail to reach the head')
      const appending = log.append(numbered(1))
      assert.deepEqual(record.seqs, [1, 2, 3], 'called from within append()')
      await appending
      await test.soon(record.untilSeq(4), 'the tail to get the event')
    },
  },
  {
    name: 'a tail hands over nothing more until its listener is done',
    clause: 'The log hands over nothing more until the returned promise settles: that is the back-pressure',
    async body(test) {
      const { log, positions } = await test.openWith([])
      const [record] = await test.tail(log, 'head')
      record.hold()
      await log.append(numbered(2))
      await test.soon(record.untilSeq(1), 'the first batch')
      for (const count of [1, 2, 3]) await log.append(numbered(count))
      await test.witness(log, at(positions, 0))
      assert.deepEqual(record.batchCounts.length, 1, 'the listener was called while it was busy')
      record.release()
      await test.soon(record.untilSeq(8), 'the tail to go on')
      record.assertUnbroken(0, 8)
      assert.equal(record.overlapCount, 0)
    },
  },
  {
    name: 'a slow listener holds up no other tail, no append and no read',
    clause: 'Concurrency: any method may be called while others are pending',
    async body(test) {
      const { log } = await test.open()
      const [slow] = await test.tail(log, 'head')
      const [quick] = await test.tail(log, 'head')
      slow.hold()
      for (const seq of range(1, 20)) {
        await test.soon(log.append([event('news')]), 'append() to resolve beside a slow tail')
        await test.soon(quick.untilSeq(seq), 'the quick tail to get the event')
      }
      assert.equal((await test.soon(readAll(log), 'read() to resolve')).length, 20)
      assert.equal(slow.batchCounts.length, 1)
      slow.release()
      await test.soon(slow.untilSeq(20), 'the slow tail to go on')
      slow.assertUnbroken(0, 20)
      quick.assertUnbroken(0, 20)
    },
  },
  {
    name: 'what one listener does to its list does not reach another tail',
    clause: 'Ownership: lists belong to the caller',
    async body(test) {
      const { log } = await test.open()
      const spoiler = new TailRecord()
      await log.tail('head', {
        onEvents: (events) => {
          void spoiler.onEvents([...events])
          ;(events as unknown[]).length = 0
        },
        onEpoch: () => undefined,
        onInterrupted: () => undefined,
        onResumed: () => undefined,
      })
      const [record] = await test.tail(log, 'head')
      await log.append(numbered(4))
      await log.append(numbered(4))
      await test.soon(record.untilSeq(8), 'the tail to reach the head')
      record.assertUnbroken(0, 8)
    },
  },
  {
    name: 'a slow tail that retention overtakes jumps over what was evicted, and over nothing else',
    clause: 'Where retention overtakes a slow listener the `seq` jumps: what is missing was evicted, or can be read',
    async body(test) {
      const topics = [{ match: '>', retention: { maxCount: 10 } }]
      const { log, handle } = await test.openWith([], { topics })
      const [record] = await test.tail(log, 'head')
      record.hold()
      for (const _ of range(1, 40)) await log.append(numbered(1000))
      await handle.settle?.()
      record.release()
      await test.soon(record.untilSeq(40_000), 'the tail to reach the head')
      const { seqs } = record
      assertRising(seqs, 'the events handed over')
      assert.deepEqual(seqs.slice(-10), range(39_991, 40_000), 'what is kept must be handed over')
    },
  },
  {
    name: 'a tail may start before events that were evicted, and goes on with what is kept',
    clause: 'Follows the log: everything after the position that is kept or comes',
    async body(test) {
      const topics = [{ match: '>', retention: { maxCount: 3 } }]
      const { log, positions } = await test.openWith(numbered(10), { topics })
      const [record, tail] = await test.tail(log, at(positions, 2))
      assert.deepEqual(tail.start, at(positions, 2))
      await test.soon(record.untilSeq(10), 'the tail to reach the head')
      assert.deepEqual(record.seqs, [8, 9, 10])
    },
  },
  {
    name: 'a tail from a position that is not of this log is refused with invalid',
    clause: 'Rejects with `invalid` for a position that `read` would answer with `epoch_changed` or `ahead`',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(3))
      const second = at(positions, 2)
      const check = second.check === 'aaa' ? 'bbb' : 'aaa'
      for (const position of [
        { ...second, epoch: 'other' },
        { ...second, seq: 4 },
        { ...second, check },
      ]) {
        await assertRejects(log.tail(position, new TailRecord()), 'invalid')
      }
    },
  },
  {
    name: 'a tail that was closed calls its listener no more',
    clause: 'Tail.close: no listener method is called after it was called',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(5000))
      const [fromHead, tail] = await test.tail(log, 'head')
      const [fromStart, behind] = await test.tail(log, at(positions, 0))
      await test.soon(
        fromStart.until((record) => record.events.length > 0),
        'the first batch',
      )
      void log.append(numbered(3))
      const closing = [tail.close(), behind.close()]
      const counts = [fromHead.callCount, fromStart.callCount]
      await test.soon(Promise.all(closing), 'close() to resolve')
      await log.append(numbered(3))
      await test.witness(log, at(positions, 0))
      assert.deepEqual([fromHead.callCount, fromStart.callCount], counts)
      await Promise.all([tail.close(), behind.close()])
    },
  },
  {
    name: 'a tail may be closed from within its listener, which is not waited for',
    clause: 'Tail.close: one that is running is not waited for, so that it may be called from within',
    async body(test) {
      const { log, positions } = await test.openWith([])
      const record = new TailRecord()
      const [, tail] = await test.tail(log, 'head', record)
      let closed: Promise<void> | undefined
      record.hold()
      void record
        .until(({ events }) => events.length > 0)
        .then(() => {
          closed = tail.close()
        })
      await log.append(numbered(1))
      await test.soon(record.untilSeq(1), 'the first event')
      await log.append(numbered(2))
      await test.witness(log, at(positions, 0))
      assert.ok(closed)
      await test.soon(closed, 'close() to resolve while the listener is busy')
      record.release()
      await log.append(numbered(2))
      await test.witness(log, at(positions, 0))
      assert.deepEqual(record.seqs, [1])
    },
  },
]
