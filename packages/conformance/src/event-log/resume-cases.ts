import assert from 'node:assert/strict'
import type { Position } from '@millrace/protocol'
import { assertGap, at, event, numbered, readPage, selectors, seqsOf, type LogCase } from './log-case.ts'

/** The same place, but not of this history. */
function forged(position: Position): Position {
  return { ...position, check: position.check === 'aaa' ? 'bbb' : 'aaa' }
}

function ofOtherEpoch(position: Position): Position {
  return { ...position, epoch: position.epoch === 'other' ? 'another' : 'other' }
}

/** Two topics under rules of their own: of `short` the last event is kept, of everything else all. */
const HOLED = { topics: [{ match: 'short', retention: { maxCount: 1 } }, { match: '>' }] } as const

export const resumeCases: readonly LogCase[] = [
  {
    name: 'a position of another epoch gives epoch_changed',
    clause: 'another epoch gives the gap `epoch_changed`',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(5))
      for (const position of positions) await assertGap(log, 'epoch_changed', { after: ofOtherEpoch(position) })
      const { log: empty, positions: none } = await test.openWith([])
      await assertGap(empty, 'epoch_changed', { after: ofOtherEpoch(at(none, 0)) })
    },
  },
  {
    name: 'a position beyond the head gives ahead',
    clause: 'beyond the head `ahead`',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(5))
      for (const seq of [6, 7, 1_000_000, Number.MAX_SAFE_INTEGER]) {
        await assertGap(log, 'ahead', { after: { ...at(positions, 5), seq } })
      }
      await log.append(numbered(1))
      assert.deepEqual((await readPage(log, { after: at(positions, 5) })).events.length, 1)
    },
  },
  {
    name: 'a kept entry with another check gives epoch_changed, and so do the head and seq 0',
    clause: 'a `check` that differs gives `epoch_changed`, where the log has it',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(5))
      for (const position of positions) {
        await assertGap(log, 'epoch_changed', { after: forged(position) })
        await readPage(log, { after: position })
      }
    },
  },
  {
    name: 'the head and the oldest position are judged by their check when their events are evicted',
    clause: 'where the log has it: of the events kept, the head, `oldest` and seq 0',
    async body(test) {
      const topics = [
        { match: 'tiny', retention: { maxBytes: 100 } },
        { match: '>', retention: { maxCount: 3 } },
      ]
      const { log } = await test.openWith([...numbered(6), event('tiny', 'x'.repeat(200))], { topics })
      const { oldest, head } = await log.bounds()
      await assertGap(log, 'epoch_changed', { after: forged(head) })
      await assertGap(log, 'epoch_changed', { after: forged(oldest) })
      await readPage(log, { after: head })
      await readPage(log, { after: oldest, selectors: selectors('news') })
    },
  },
  {
    name: 'the epoch is judged before the head, and the head before the check',
    clause: 'A position is judged in this order',
    async body(test) {
      const { log, positions } = await test.openWith(numbered(5))
      const beyond = { ...at(positions, 5), seq: 9 }
      await assertGap(log, 'epoch_changed', { after: ofOtherEpoch(beyond) })
      await assertGap(log, 'ahead', { after: forged(beyond) })
    },
  },
  {
    name: 'the check is judged before what was evicted',
    clause: 'A position is judged in this order',
    async body(test) {
      const { log, positions } = await test.openWith([event('long'), event('short'), event('short')], HOLED)
      await assertGap(log, 'too_old', { after: at(positions, 1) })
      await assertGap(log, 'epoch_changed', { after: forged(at(positions, 1)) })
    },
  },
  {
    name: 'a gap tells the head, and an oldest position that can be read on from',
    clause: 'Gap.oldest: where a read of these selectors from `oldest` starts',
    async body(test) {
      const { log, positions } = await test.openWith(
        [event('long'), event('short'), event('short'), event('long')],
        HOLED,
      )
      const stale = [
        at(positions, 0),
        ofOtherEpoch(at(positions, 2)),
        { ...at(positions, 1), seq: 99 },
        forged(at(positions, 1)),
      ]
      for (const after of stale) {
        const gap = await log.read({ after, selectors: 'all', maxCount: 10, maxBytes: 1000 })
        assert.ok(gap.kind === 'gap')
        assert.deepEqual(gap.head, at(positions, 4))
        const page = await readPage(log, { after: gap.oldest })
        assert.deepEqual(page, await readPage(log, { after: 'oldest' }))
        assert.deepEqual(
          seqsOf(page.events),
          [3, 4],
          'everything since the newest evicted event, and nothing before it',
        )
      }
    },
  },
]
