/** Whatever happens to the connections, and whichever transports are used on the way: the events are the uncut sequence. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connect } from '../../src/stream/connect.ts'
import { ReferenceHub } from './support/reference-hub.ts'
import type { Fault } from './support/reference-stream.ts'
import { URL_OF_HUB } from './support/scene.ts'
import { settle, TestClock } from './support/test-clock.ts'

const faults: fc.Arbitrary<Fault | undefined> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('cut' as const), afterBytes: fc.integer({ min: 0, max: 700 }) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'network' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'hold' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'deaf' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('mute' as const), afterBytes: fc.integer({ min: 0, max: 700 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      status: fc.constantFrom(429, 500, 502, 503, 408),
      headers: fc.constantFrom({}, { 'retry-after': '7' }, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }),
    }),
  },
)

/** The page of a captive portal. Before anything good has come it is an answer, and the end. */
const portal: Fault = { kind: 'answer', status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }

/** What happens while the stream lives: time goes by, events are published, connections are cut. */
const steps = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 20_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('beat' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('topics' as const),
      from: fc.constantFrom('now' as const, 'snapshot' as const),
    }),
  },
)

const runs = fc.record({
  faults: fc.array(fc.oneof({ weight: 9, arbitrary: faults }, { weight: 1, arbitrary: fc.constant(portal) }), {
    maxLength: 25,
  }),
  steps: fc.array(steps, { minLength: 5, maxLength: 30 }),
  retryMs: fc.constantFrom(undefined, 0, 10, 2_000),
  hasPolling: fc.boolean(),
  reads: fc.constantFrom('handler', 'loop'),
  fractions: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 7 }),
})

/** How often each thing happened, over all runs: a run in which nothing goes wrong proves nothing. */
const happened = { streams: 0, polls: 0, resumes: 0, waits: 0, events: 0, changes: 0, portals: 0 }

test('random cuts at any byte of any transport, and changes of transport, give the uncut sequence of events', async () => {
  await fc.assert(
    fc.asyncProperty(runs, async (run) => {
      const clock = new TestClock()
      const hub = new ReferenceHub(clock)
      hub.retryMs = run.retryMs
      hub.hasPolling = run.hasPolling
      let calm = false
      const pending = [...run.faults]
      let current = 0
      let worst = 0
      const endsMs: number[] = []
      const gapsMs: number[] = []
      hub.faultOf = () => {
        const fault = calm ? undefined : pending.shift()
        if (fault !== portal) return fault
        if (seen.length === 0) return undefined
        happened.portals++
        return portal
      }
      let turn = 0
      const counted: typeof hub.fetch = async (input, init) => {
        if (!input.includes('/topics')) {
          current++
          worst = Math.max(worst, current)
          const lastEndMs = endsMs.at(-1)
          if (lastEndMs !== undefined) gapsMs.push(clock.now() - lastEndMs)
          init.signal.addEventListener('abort', () => {
            current--
            endsMs.push(clock.now())
          })
        }
        return hub.fetch(input, init)
      }
      const seen: unknown[] = []
      const stream = connect(URL_OF_HUB, {
        // From the beginning, so that what is published before the first connection is owed too.
        from: 'earliest',
        topics: ['a'],
        fetch: counted,
        clock,
        fraction: () => run.fractions[turn++ % run.fractions.length] ?? 0,
        onError: () => {},
      })
      if (run.reads === 'handler') stream.on('*', ({ data }) => void seen.push(data))
      else
        void (async () => {
          for await (const { data } of stream) seen.push(data)
        })()
      let published = 0
      for (const step of run.steps) {
        if (step.do === 'publish') for (let i = 0; i < step.count; i++) hub.publish('a', ++published)
        else if (step.do === 'advance') await clock.advance(step.ms)
        else if (step.do === 'cut') hub.cutStreams()
        else if (step.do === 'end') hub.endStreams()
        else if (step.do === 'beat') hub.beat()
        else {
          const topics = ['a', `b${published}`]
          const changed = stream.setTopics(topics, { from: step.from })
          // One that is still under way at the end is told so.
          changed.then(() => happened.changes++).catch(() => {})
        }
        await settle()
      }
      calm = true
      hub.publish('a', ++published)
      await clock.until(() => seen.includes(published))
      expect(seen).toEqual(Array.from({ length: published }, (_, i) => i + 1))
      expect(worst).toBe(1)
      for (const gapMs of gapsMs) expect(gapMs).toBeGreaterThan(0)
      happened.events += seen.length
      happened.waits += gapsMs.length
      for (const { transport, headers, url } of hub.requests) {
        if (transport === 'stream') happened.streams++
        if (transport === 'poll') happened.polls++
        if (headers.has('last-event-id') || url.searchParams.has('last_event_id')) happened.resumes++
      }
      stream.close()
      await settle()
      expect(clock.timerCount).toBe(0)
      expect(hub.streams).toEqual([])
    }),
    { numRuns: 300, seed: 7 },
  )
  // Chance has a seed: these are far below what happens, and far above nothing.
  expect(happened.streams).toBeGreaterThan(500)
  expect(happened.polls).toBeGreaterThan(100)
  expect(happened.resumes).toBeGreaterThan(300)
  expect(happened.waits).toBeGreaterThan(500)
  expect(happened.changes).toBeGreaterThan(100)
  expect(happened.portals).toBeGreaterThan(30)
}, 60_000)
