import assert from 'node:assert/strict'
import { LogError } from '@millrace/server'
import { assertGap, assertRejects, at, event, numbered, range, readAll, seqsOf, type LogCase } from './log-case.ts'

export const faultCases: readonly LogCase[] = [
  {
    name: 'while the backend is away appends are refused with unavailable and store nothing',
    clause: 'LogError `unavailable`: the backend is away; nothing was stored, try again later',
    needs: ['interruption'],
    async body(test) {
      const { handle, log } = await test.openWith(numbered(3))
      await handle.interrupt?.()
      await assertRejects(log.append([event('news')]), 'unavailable')
      await handle.resume?.()
      const [position] = await log.append([event('news')])
      assert.equal(position?.seq, 4)
      assert.deepEqual(seqsOf(await readAll(log)), range(1, 4))
    },
  },
  {
    name: 'a tail says when it cannot be followed and when it can again, and goes on after its last event',
    clause: 'TailListener.onInterrupted: goes on by itself, from the last event handed over; onResumed',
    needs: ['interruption'],
    async body(test) {
      const { handle, log, positions } = await test.openWith(numbered(3))
      const [record] = await test.tail(log, at(positions, 1))
      await test.soon(record.untilSeq(3), 'the tail to reach the head')
      for (const round of [1, 2]) {
        await handle.interrupt?.()
        await test.soon(
          record.until(({ interruptions }) => interruptions.length === round),
          'onInterrupted',
        )
        assert.equal(record.resumedCount, round - 1)
        assert.ok(record.interruptions.at(-1) instanceof LogError)
        await handle.resume?.()
        await log.append(numbered(2))
        await test.soon(record.untilSeq(3 + 2 * round), 'the tail to go on')
        assert.equal(record.resumedCount, round)
      }
      record.assertUnbroken(1, 7)
      assert.deepEqual(record.epochs, [])
    },
  },
  {
    name: 'a new epoch is told to the tail before its events, and to whoever comes with an old position',
    clause: 'TailListener.onEpoch: the tail goes on after `head`; read: another epoch gives `epoch_changed`',
    needs: ['newEpoch'],
    async body(test) {
      const { handle, log, positions } = await test.openWith(numbered(3))
      const [record] = await test.tail(log, at(positions, 0))
      await test.soon(record.untilSeq(3), 'the tail to reach the head')
      await handle.beginEpoch?.()
      const { head, epoch } = await log.bounds()
      assert.notEqual(epoch, at(positions, 0).epoch)
      await test.soon(
        record.until(({ epochs }) => epochs.length === 1),
        'onEpoch',
      )
      assert.deepEqual(record.epochs, [head])
      const appended = await log.append(numbered(2))
      assert.deepEqual(
        appended.map((position) => position.epoch),
        [epoch, epoch],
      )
      assert.deepEqual(seqsOf(await readAll(log, { after: head })), [head.seq + 1, head.seq + 2])
      await test.soon(
        record.until(({ events }) => events.length === 5),
        'the tail to go on',
      )
      assert.deepEqual(record.events.slice(3), await readAll(log, { after: head }))
      for (const position of positions) await assertGap(log, 'epoch_changed', { after: position })
    },
  },
]
