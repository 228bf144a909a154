import assert from 'node:assert/strict'
import type { Snapshot, StoredEvent } from '@millrace/server'
import { at, event, numbered, range, readAll, selectors, seqsOf, type LogCase } from './log-case.ts'

export const snapshotCases: readonly LogCase[] = [
  {
    name: 'a snapshot has the last event of each topic that matches, oldest first',
    clause: 'Snapshot.events: the last event of each matching topic, oldest first',
    async body(test) {
      const names = ['a', 'a.b', '@alice', 'a.c', 'a.b', 'a', 'b', '@alice', 'a.c.d']
      const { log } = await test.openWith(names.map((name) => event(name)))
      const expected: [Parameters<typeof log.snapshot>[0], number[]][] = [
        ['all', [4, 5, 6, 7, 8, 9]],
        [selectors('>'), [4, 5, 6, 7, 9]],
        [selectors('a'), [6]],
        [selectors('a.*'), [4, 5]],
        [selectors('a.*', 'a.>', 'a.b'), [4, 5, 9]],
        [selectors('@alice', 'b'), [7, 8]],
        [selectors('nobody'), []],
        [[], []],
      ]
      for (const [wanted, seqs] of expected) {
        const { events, partial } = await log.snapshot(wanted)
        assert.deepEqual(seqsOf(events), seqs, `for ${String(wanted)}`)
        assert.equal(partial, false)
      }
      const stored = await readAll(log)
      assert.deepEqual((await log.snapshot('all')).events, stored.slice(3), 'it has the events themselves')
    },
  },
  {
    name: 'a snapshot of an empty log is of seq 0 and has nothing',
    clause: 'Snapshot.at',
    async body(test) {
      const { log } = await test.open()
      const { head } = await log.bounds()
      assert.deepEqual(await log.snapshot('all'), { at: head, events: [], partial: false })
    },
  },
  {
    name: 'retention does not touch what a snapshot has',
    clause: 'Retention: the last event of each topic stays available to `snapshot`',
    async body(test) {
      const topics = [{ match: '>', retention: { maxCount: 2 } }]
      const { log } = await test.openWith([event('quiet'), event('other'), event('quiet'), ...numbered(20, 'busy')], {
        topics,
      })
      const { events, at: position, partial } = await log.snapshot('all')
      assert.deepEqual(seqsOf(events), [2, 3, 23])
      assert.deepEqual(
        events.map(({ data }) => data),
        ['of other', 'of quiet', '20'],
      )
      assert.deepEqual([position.seq, partial], [23, false])
    },
  },
  {
    name: 'age does not touch what a snapshot has',
    clause: 'Snapshot.events: retention does not touch them',
    needs: ['advanceClock'],
    async body(test) {
      const topics = [{ match: '>', retention: { maxAgeMs: 1000 } }]
      const { handle, log, positions } = await test.openWith([event('a'), event('b'), event('a')], { topics })
      await handle.advanceClock?.(86_400_000)
      await handle.settle?.()
      const { events, at: position } = await log.snapshot('all')
      assert.deepEqual(seqsOf(events), [2, 3])
      assert.deepEqual(position, at(positions, 3))
    },
  },
  {
    name: 'a snapshot among pending appends has nothing newer than its position, and reading after it misses nothing',
    clause: 'Snapshot.at: it holds nothing newer, and reading after it misses nothing',
    async body(test) {
      const { log } = await test.open()
      const { head: origin } = await log.bounds()
      const appends: Promise<unknown>[] = []
      const pending: Promise<Snapshot>[] = []
      for (const i of range(1, 60)) {
        appends.push(log.append(range(1, (i % 3) + 1).map((n) => event(`topic.${(i + n) % 7}`, `${i}`))))
        pending.push(log.snapshot('all'))
      }
      await Promise.all(appends)
      const stored = await readAll(log)
      for (const { at: position, events } of await Promise.all(pending)) {
        const before = stored.slice(0, position.seq)
        const expected = before.at(-1)?.position ?? origin
        assert.deepEqual(position, expected, 'it must be of a position of the log, check included')
        assert.deepEqual(events, lastOfEach(before), `as of seq ${position.seq}`)
        assert.deepEqual(await readAll(log, { after: position }), stored.slice(position.seq))
      }
    },
  },
  {
    name: 'a log that forgot topics says so in the snapshots that may lack them',
    clause: 'Snapshot.partial: true when a topic that matches may be missing, because the log had to forget topics',
    needs: ['maxTopics'],
    async body(test) {
      const { log } = await test.openWith(
        range(1, 3).map((i) => event(`topic.${i}`)),
        { maxTopics: 3 },
      )
      assert.deepEqual(seqsOf((await log.snapshot('all')).events), [1, 2, 3])
      assert.equal((await log.snapshot('all')).partial, false)
      await log.append([event('topic.1'), event('topic.4'), event('topic.5')])
      const { events, partial } = await log.snapshot('all')
      assert.equal(partial, true)
      assert.ok(events.length <= 3, 'a log must not remember more topics than it may')
      assert.deepEqual(seqsOf(events), range(7 - events.length, 6), 'the topics that were quiet longest are forgotten')
      assert.equal((await log.snapshot(selectors('topic.2'))).partial, true)
      assert.deepEqual(seqsOf(await readAll(log)), range(1, 6), 'what retention keeps can still be read')
    },
  },
]

function lastOfEach(stored: readonly StoredEvent[]): StoredEvent[] {
  return stored.filter((one, i) => !stored.slice(i + 1).some((later) => later.topic === one.topic))
}
