import assert from 'node:assert/strict'
import { formatEventId, parseEventId } from '@millrace/protocol'
import type { NewEvent } from '@millrace/server'
import { assertSeqs } from './assert-seqs.ts'
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
  topic,
  type LogCase,
} from './log-case.ts'

/** What no typed caller can pass, but a program in JavaScript can. */
const WITHOUT_DATA = { topic: topic('news') } as NewEvent
const WITHOUT_TOPIC = { data: 'of nothing' } as NewEvent
const WRONG_FIELDS = [{ type: 1 }, { key: 1 }, { except: {} }, { dedupeKey: 1 }, { end: 'true' }, { json: 1 }]

export const appendCases: readonly LogCase[] = [
  {
    name: 'a log guarantees what it is said to guarantee',
    clause: 'LogGuarantees',
    async body(test) {
      const { log } = await test.open()
      assert.deepEqual({ ...log.guarantees }, { ...test.guarantees })
    },
  },
  {
    name: 'an empty log has seq 0 as its head and its oldest position, with a check and an epoch',
    clause: 'seq 0 stands for "before the first"; Bounds.head: seq 0 when there was none',
    async body(test) {
      const { log } = await test.open()
      const { epoch, oldest, head } = await log.bounds()
      assert.equal(head.seq, 0)
      assert.equal(head.epoch, epoch)
      assert.deepEqual(oldest, head)
      assert.deepEqual(parseEventId(formatEventId(head)), head, 'seq 0 must be a position that can be an event id')
    },
  },
  {
    name: 'append returns the position of each event in the same order, from seq 1 on and dense',
    clause: 'returns their positions in the same order; seq is dense; the first event of a log has seq 1',
    async body(test) {
      const { log } = await test.open()
      const { epoch } = await log.bounds()
      const positions = [
        ...(await log.append(numbered(3))),
        ...(await log.append(numbered(1))),
        ...(await log.append(numbered(2))),
      ]
      assert.deepEqual(
        positions.map(({ seq }) => seq),
        range(1, 6),
      )
      for (const position of positions) {
        assert.equal(position.epoch, epoch)
        assert.deepEqual(parseEventId(formatEventId(position)), position)
      }
    },
  },
  {
    name: 'events are read at the positions that append returned, as they were given',
    clause: 'Stores the events; StoredEvent',
    async body(test) {
      const { log } = await test.open()
      const given: NewEvent[] = [
        { topic: topic('plain'), data: 'text' },
        { topic: topic('typed'), type: 'tick', data: '' },
        { topic: topic('json.value'), type: 'tick', data: '{"a":1}', json: true },
        { topic: topic('keyed'), key: 'ключ', except: 'me é', end: true, data: 'all that it can say' },
        { topic: topic('@alice'), data: 'first line\nsecond line\r\n\u2028 😀 \u0000 é' },
      ]
      const positions = await log.append(given)
      const stored = await readAll(log)
      assert.deepEqual(
        stored.map(({ position }) => position),
        positions,
      )
      for (const [i, { position: _, timeMs, ...rest }] of stored.entries()) {
        assert.deepEqual(rest, given[i], 'nothing may be added, left out or changed')
        assert.ok(Number.isFinite(timeMs))
      }
    },
  },
  {
    name: 'an epoch names one life of a log, and checks are random',
    clause: 'Position.epoch: names one life of the log; Position.check: three random characters',
    async body(test) {
      const { log } = await test.open()
      const positions = await log.append(numbered(500))
      const distinct = new Set(positions.map(({ check }) => check))
      assert.ok(distinct.size > 400, `500 events have only ${distinct.size} different checks`)
      const { log: other } = await test.open()
      const others = await other.append(numbered(500))
      assert.notEqual(others[0]?.epoch, positions[0]?.epoch)
      const equalCount = others.filter(({ check }, i) => check === positions[i]?.check).length
      assert.ok(equalCount < 20, `two logs have the same check at ${equalCount} of 500 positions`)
    },
  },
  {
    name: 'appends that are pending at once take effect in call order, each as one run of seqs',
    clause: '`append` calls take effect in call order; any method may be called while others are pending',
    async body(test) {
      const { log } = await test.open()
      const counts = range(1, 120).map((i) => (i * 7) % 11)
      const results = await Promise.all(counts.map((count, call) => log.append(numbered(count, `call.${call}`))))
      const seqs = results.flatMap((positions) => positions.map(({ seq }) => seq))
      assert.deepEqual(seqs, range(1, seqs.length))
      const expected = counts.flatMap((count, call) => range(1, count).map((i) => `call.${call} ${i}`))
      assert.deepEqual(
        (await readAll(log)).map((stored) => `${stored.topic} ${stored.data}`),
        expected,
      )
    },
  },
  {
    name: 'an event can be read, and is the head, once its append has resolved',
    clause: 'Visibility: an event can be read once its append has resolved',
    async body(test) {
      const { log } = await test.open()
      for (const seq of range(1, 20)) {
        const [position] = await log.append([event('news')])
        const [page, bounds] = await Promise.all([readPage(log, {}), log.bounds()])
        assert.deepEqual(page.events.at(-1)?.position, position)
        assert.deepEqual(bounds.head, position)
        assert.equal(page.events.length, seq)
      }
    },
  },
  {
    name: 'an empty list stores nothing',
    clause: 'An empty list stores nothing',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(2))
      const [record] = await test.tail(log, 'head')
      assert.deepEqual(await log.append([]), [])
      assert.deepEqual((await log.bounds()).head, positions.at(-1))
      await log.append([event('news')])
      await test.soon(record.untilSeq(3), 'the tail to get the event after the empty list')
      assert.deepEqual(record.batchCounts, [1])
    },
  },
  {
    name: 'an event that is malformed is refused with invalid, and nothing of its list is stored',
    clause: 'Stores the events, all or none; rejects with `invalid`; or of which another field is not of its type',
    guarantee: 'atomicBatch',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(2))
      await assertRejects(log.append([event('good'), WITHOUT_DATA, event('good')]), 'invalid')
      await assertRejects(log.append([event('good'), WITHOUT_TOPIC]), 'invalid')
      for (const fields of WRONG_FIELDS) {
        await assertRejects(log.append([event('good'), { ...event('bad'), ...fields } as NewEvent]), 'invalid')
      }
      await assertRejects(log.append([event('good')], { publisher: 5 as never }), 'invalid')
      assert.deepEqual((await log.bounds()).head, positions.at(-1))
      assert.deepEqual(
        await readAll(log, { after: at(positions, 0) }),
        await readAll(log, { selectors: selectors('news') }),
      )
      const snapshot = await log.snapshot('all')
      assert.deepEqual(
        snapshot.events.map((stored) => stored.topic),
        ['news'],
      )
      const [next] = await log.append([event('good')])
      assert.equal(next?.seq, 3)
    },
  },
  {
    name: 'lists and events that were given may be changed after the call',
    clause: 'Ownership: what is given to `append` may be changed after the call',
    async body(test) {
      const { log } = await test.open()
      const first = { topic: topic('news'), data: 'as given' }
      const given: NewEvent[] = [first, event('sport')]
      const pending = log.append(given)
      first.data = 'changed'
      given.length = 1
      assert.equal((await pending).length, 2)
      assert.deepEqual(
        (await readAll(log)).map(({ data }) => data),
        ['as given', 'of sport'],
      )
    },
  },
  {
    name: 'a list of 20,000 events is stored whole, read whole and handed over whole',
    clause: 'Stores the events, all or none, one after the other',
    async body(test) {
      const { log } = await test.open()
      const [record] = await test.tail(log, 'head')
      const positions = await log.append(numbered(20_000))
      assertSeqs(
        positions.map(({ seq }) => seq),
        1,
        20_000,
        'the positions returned',
      )
      assertSeqs(seqsOf(await readAll(log, { maxCount: 700 })), 1, 20_000, 'the events read')
      await test.soon(record.untilSeq(20_000), 'the tail to get 20,000 events')
      record.assertUnbroken(0, 20_000)
    },
  },
  {
    name: 'the time of events never falls, whatever the clock does',
    clause: 'StoredEvent.timeMs: never falls from one event to the next, whatever the clock does',
    needs: ['stepWallClock'],
    async body(test) {
      const handle = await test.open()
      const { log } = handle
      for (const stepMs of [0, 5_000, -3_600_000, 0, 10_000, 7_200_000, -1]) {
        await handle.stepWallClock?.(stepMs)
        await log.append([event('news')])
      }
      const times = (await readAll(log)).map(({ timeMs }) => timeMs)
      assert.deepEqual(
        times,
        times.toSorted((one, other) => one - other),
      )
      assert.equal(times.length, 7, 'a step of the clock must not lose events')
      assert.ok(Number(times.at(-1)) > Number(times[0]), 'the time must follow a clock that goes forward')
    },
  },
]
