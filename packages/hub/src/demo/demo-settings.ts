import type { TopicRule } from '@millrace/server'
import type { HubSettings } from '../hub-settings.ts'

/** Five ticks a second over all symbols, so that a month of five shares passes in a second. Milliseconds. */
export const demoTickIntervalMs = 200

/**
 * Sixty ticks are twelve seconds. A browser comes back 1.5 to 4.5 s after a cut, when at most 23 ticks have passed: all
 * are replayed. After 20 s a hundred have passed, and forty of them are gone: `too_old`.
 */
export const demoTopics: readonly TopicRule[] = [
  { match: 'stocks.>', kind: 'log', retention: { maxCount: 60 } },
  { match: '>', kind: 'log', retention: { maxAgeMs: 3_600_000, maxCount: 10_000 } },
]

/**
 * What is different with `--demo` unless it is said otherwise. Heartbeats are short, so that the id of a page that
 * watches nothing for a while stays one from which it can go on. Events are in memory: the counters of the prices begin
 * at 1 with each start, and ids of a start before must not be good for going on.
 */
export const demoDefaults: Pick<HubSettings, 'log' | 'topics' | 'heartbeatMs'> = {
  log: 'memory:',
  topics: demoTopics,
  heartbeatMs: 5_000,
}

/** How long a cut may keep the browser away: 0 leaves it to the stream's own `retry:`. Milliseconds. */
export const demoAwayMs: readonly number[] = [0, 20_000]

/** How many ticks of each symbol `GET /demo/prices` answers: somewhat more than the page's chart shows. */
export const demoRecentCount = 60
