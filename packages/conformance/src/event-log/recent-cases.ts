import assert from 'node:assert/strict'
import type { EventLog, NewEvent, Recent, TopicRule } from '@millrace/server'
import { assertRejects, at, event, NO_LIMIT, numbered, range, seqsOf, type LogCase } from './log-case.ts'

const STATE_RULES: readonly TopicRule[] = [{ match: 's.>', kind: 'state' }, { match: '>' }]

/** Asserts that the newest events are without a hole, up to the head. */
async function recentOf(log: EventLog, limits: Partial<typeof NO_LIMIT> = {}): Promise<Recent> {
  const recent = await log.recent({ ...NO_LIMIT, ...limits })
  const { after, events } = recent
  const { head } = await log.bounds()
  assert.deepEqual(events.at(-1)?.position ?? after, head, 'the last of the newest events is that of the head')
  assert.deepEqual(seqsOf(events), range(after.seq + 1, head.seq), `events after ${after.seq}`)
  return recent
}

export const recentCases: readonly LogCase[] = [
  {
    name: 'the newest events reach back without a hole as far as the limits allow',
    clause: 'recent: the newest events, as far back as the limits allow; may be fewer by one',
    async body(test) {
      const names = ['a', 's.a', '@alice', 'b', 's.a']
      const events = range(0, 1_199).map((i): NewEvent => event(names[i % names.length] ?? 'a', `${i + 1}`))
      const { log, positions } = await test.openWith(events, { topics: STATE_RULES })
      for (const maxCount of [1, 2, 10, 511, 512, 513, 1_100, 1_200, 5_000]) {
        const recent = await recentOf(log, { maxCount })
        const { length } = recent.events
        const most = Math.min(maxCount, 1_200)
        assert.ok(length === most || length === most - 1, `${length} of the newest events, where ${most} are asked for`)
        assert.deepEqual(recent.after, at(positions, recent.after.seq))
        for (const { position, topic, data } of recent.events) {
          assert.deepEqual([position, topic], [at(positions, position.seq), events[position.seq - 1]?.topic])
          assert.equal(data, `${position.seq}`)
        }
      }
    },
  },
  {
    name: 'the newest events have at most maxBytes of data',
    clause: 'RecentLimits.maxBytes: at most this many bytes of `data`',
    async body(test) {
      const { log } = await test.openWith(range(1, 40).map(() => event('news', 'x'.repeat(100))))
      const counts = [
        [1, 0],
        [99, 0],
        [100, 1],
        [1_050, 10],
        [4_000, 40],
      ] as const
      for (const [maxBytes, count] of counts) {
        const { events } = await recentOf(log, { maxBytes })
        const isFit = events.length <= count && events.length >= count - 1
        assert.ok(isFit, `${events.length} events of 100 bytes where ${maxBytes} bytes were asked for`)
      }
    },
  },
  {
    name: 'the newest events end where one was evicted, and can be gone on from',
    clause: 'Recent.after: the position that the first of the events follows; no event is missing',
    async body(test) {
      const topics = [{ match: 'few', retention: { maxCount: 1 } }, { match: '>' }]
      const events = [...numbered(3, 'few'), ...numbered(5), event('few'), ...numbered(4)]
      const { log } = await test.openWith(events, { topics })
      // Of the topic `few` only the event with seq 9 is left.
      const { after } = await recentOf(log)
      assert.ok(after.seq === 3 || after.seq === 4, `they follow ${after.seq}`)
      const page = await log.read({ after, selectors: 'all', ...NO_LIMIT })
      assert.equal(page.kind, 'page')
    },
  },
  {
    name: 'a log whose newest event is not kept has no newest events',
    clause: 'recent: none where the event of the head is not kept; Recent.after: the head when there are none',
    async body(test) {
      const empty = await test.open()
      const { head } = await empty.log.bounds()
      assert.deepEqual(await empty.log.recent(NO_LIMIT), { after: head, events: [] })
      const topics = [{ match: 'gone', retention: { maxBytes: 10 } }, { match: '>' }]
      const { log, positions } = await test.openWith([...numbered(3), event('gone', 'x'.repeat(50))], { topics })
      assert.deepEqual(await recentOf(log), { after: at(positions, 4), events: [] })
    },
  },
  {
    name: 'the newest events are there after an append, and while others are under way',
    clause: 'Visibility: an event can be read once its append has resolved or just before',
    async body(test) {
      const { log } = await test.openWith(numbered(5))
      for (let i = 0; i < 20; i++) {
        const pending = log.append(numbered(3))
        const { after, events } = await log.recent(NO_LIMIT)
        assert.deepEqual(seqsOf(events), range(after.seq + 1, after.seq + events.length))
        const last = (await pending).at(-1)
        assert.deepEqual((await recentOf(log, { maxCount: 10 })).events.at(-1)?.position, last)
      }
    },
  },
  {
    name: 'limits of the newest events that are none are refused',
    clause: 'RecentLimits: integer, at least 1; rejects with `invalid`',
    async body(test) {
      const { log } = await test.openWith(numbered(2))
      for (const wrong of [0, -1, 1.5, Number.NaN]) {
        await assertRejects(log.recent({ ...NO_LIMIT, maxCount: wrong }), 'invalid')
        await assertRejects(log.recent({ ...NO_LIMIT, maxBytes: wrong }), 'invalid')
      }
    },
  },
]
