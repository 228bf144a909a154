import assert from 'node:assert/strict'
import { LogError } from '@millrace/server'
import { assertRejects, at, event, numbered, range, type LogCase } from './log-case.ts'
import { TailRecord } from './tail-record.ts'

export const closeCases: readonly LogCase[] = [
  {
    name: 'after close every method rejects with closed',
    clause: 'Errors: after `close()` every method rejects with code `closed`',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(3))
      await log.close()
      const after = at(positions, 1)
      await assertRejects(log.append([event('news')]), 'closed')
      await assertRejects(log.append([]), 'closed')
      await assertRejects(log.read({ after, selectors: 'all', maxCount: 1, maxBytes: 1 }), 'closed')
      await assertRejects(log.read({ after: 'oldest', selectors: 'all', maxCount: 1, maxBytes: 1 }), 'closed')
      await assertRejects(log.snapshot('all'), 'closed')
      await assertRejects(log.recent({ maxCount: 1, maxBytes: 1 }), 'closed')
      await assertRejects(log.tail('head', new TailRecord()), 'closed')
      await assertRejects(log.tail(after, new TailRecord()), 'closed')
      await assertRejects(log.bounds(), 'closed')
    },
  },
  {
    name: 'close may be called twice, also at once',
    clause: 'EventLog.close: may be called twice',
    async body(test) {
      const { log } = await test.openWith(numbered(3))
      await test.soon(Promise.all([log.close(), log.close()]), 'both to resolve')
      await test.soon(log.close(), 'a third to resolve')
    },
  },
  {
    name: 'close ends all tails, also one whose listener is busy',
    clause: 'EventLog.close: ends all tails',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(3000))
      const [idle, tail] = await test.tail(log, 'head')
      const busy = new TailRecord()
      busy.hold()
      await test.tail(log, at(positions, 0), busy)
      await test.soon(
        busy.until(({ events }) => events.length > 0),
        'the first batch',
      )
      void log.append(numbered(2))
      await test.soon(log.close(), 'close() to resolve while a listener is busy')
      const counts = [idle.callCount, busy.callCount]
      busy.release()
      // The log cannot be asked for a witness any more: a few turns of the event loop are what is left.
      for (const _ of range(1, 5)) await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual([idle.callCount, busy.callCount], counts)
      await test.soon(tail.close(), 'a tail of a closed log to close')
    },
  },
  {
    name: 'calls that are pending when the log is closed settle',
    clause:
      'After `close()` every method rejects with code `closed`; any method may be called while others are pending',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(3))
      const pending: Promise<unknown>[] = []
      for (const _ of range(1, 10)) {
        pending.push(
          log.append(numbered(2)),
          log.read({ after: at(positions, 0), selectors: 'all', maxCount: 10, maxBytes: 1000 }),
          log.snapshot('all'),
          log.bounds(),
          log.tail('head', new TailRecord()),
        )
      }
      const closing = log.close()
      const results = await test.soon(Promise.allSettled(pending), 'all of them to settle')
      for (const result of results) {
        if (result.status === 'fulfilled') continue
        assert.ok(result.reason instanceof LogError && result.reason.code === 'closed', String(result.reason))
      }
      await closing
    },
  },
]
