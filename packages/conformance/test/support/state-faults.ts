import type { StoredEvent } from '@millrace/server'
import type { EventLogOptions } from '../../src/index.ts'
import { bySeq, mapPage, onSnapshots, withListeners } from './fault-tools.ts'
import { withMethods, type LogFault } from './log-setup.ts'

export const stateFaults: readonly LogFault[] = [
  {
    name: 'every topic is a log topic',
    breaks: ['a read leaves out the events of state', 'a snapshot of state has', 'the first rule that matches decides'],
    options: (given) =>
      given.topics
        ? { ...given, topics: given.topics.map(({ match, retention = {} }) => ({ match, retention })) }
        : given,
  },
  {
    name: 'a read finds state topics by their name',
    breaks: ['a read leaves out the events of state'],
    wrap: (log) => {
      const state = new Map<number, StoredEvent>()
      return withMethods(log, {
        read: async (query) => {
          for (const stored of (await log.snapshot(query.selectors, { of: 'state' })).events) {
            state.set(stored.position.seq, stored)
          }
          return mapPage(await log.read(query), (page) =>
            query.selectors !== 'all' && page.events.length === 0 ? { ...page, events: [...state.values()] } : page,
          )
        },
      })
    },
  },
  {
    name: 'tails leave out state topics',
    breaks: ['the events of state topics are handed to tails', 'random appends, reads'],
    wrap: (log) =>
      withListeners(log, (listener) => ({
        onEvents: (events) => {
          const others = events.filter(({ topic }) => !topic.startsWith('s.'))
          return others.length > 0 ? listener.onEvents(others) : undefined
        },
      })),
  },
  {
    name: 'state topics have no keys',
    breaks: ['a snapshot of state has', 'empty data, null and any key', 'random appends, reads'],
    wrap: (log) => onSnapshots(log, 'state', (events) => events.filter((one, i) => isLastOf(events, i, one, byTopic))),
  },
  {
    name: 'keys of all state topics are one',
    breaks: ['a snapshot of state has'],
    wrap: (log) =>
      onSnapshots(log, 'state', (events) => events.filter((one, i) => isLastOf(events, i, one, ({ key = '' }) => key))),
  },
  {
    name: 'a snapshot of log topics has state topics too',
    breaks: ['a snapshot of log topics has nothing of state', 'random appends, reads'],
    wrap: (log) =>
      withMethods(log, {
        snapshot: async (selectors, options) => {
          const snapshot = await log.snapshot(selectors, options)
          if ((options?.of ?? 'log') !== 'log') return snapshot
          const { events } = await log.snapshot(selectors, { of: 'state' })
          return { ...snapshot, events: [...snapshot.events, ...events].toSorted(bySeq) }
        },
      }),
  },
  {
    name: 'an empty value is none',
    breaks: ['empty data, null and any key'],
    wrap: (log) => onSnapshots(log, 'state', (events) => events.filter(({ data }) => data !== '')),
  },
  {
    name: 'null deletes a key',
    breaks: ['empty data, null and any key'],
    wrap: (log) => onSnapshots(log, 'state', (events) => events.filter(({ data }) => data !== 'null')),
  },
  {
    name: 'the last rule that matches decides on the kind',
    breaks: ['the first rule that matches decides'],
    options: (given) => (given.topics ? { ...given, topics: given.topics.toReversed() } : given),
  },
  {
    name: 'evicted state is a gap',
    breaks: ['the eviction of state values is no gap', 'random appends, reads'],
    wrap: (log) =>
      withMethods(log, {
        read: async (query) => {
          const { head } = await log.bounds()
          const { events } = await log.snapshot(query.selectors, { of: 'state' })
          const isBehind = query.after !== 'oldest' && query.after.seq + 20 < head.seq
          return isBehind && events.length > 0
            ? { kind: 'gap', reason: 'too_old', oldest: head, head }
            : log.read(query)
        },
      }),
  },
  {
    name: 'the oldest position is that of a state value',
    breaks: ['the eviction of state values is no gap', 'random appends, reads'],
    wrap: (log) =>
      withMethods(log, {
        bounds: async () => {
          const bounds = await log.bounds()
          const [first] = (await log.snapshot('all', { of: 'state' })).events
          if (!first || first.position.seq > bounds.oldest.seq) return bounds
          return { ...bounds, oldest: { ...bounds.oldest, seq: first.position.seq - 1 } }
        },
      }),
  },
  {
    name: 'retention holds for the newest values too',
    breaks: ['the newest value of a key is beyond', 'the newest value of a key does not age'],
    wrap: (log) => onSnapshots(log, 'state', (events) => events.slice(-1)),
  },
  {
    name: 'tails get the newest values only within retention',
    breaks: ['the newest value of a key is beyond'],
    wrap: (log) =>
      withListeners(log, (listener) => ({
        onEvents: (events) => listener.onEvents(events.length > 9 ? events.slice(-2) : events),
      })),
  },
  {
    name: 'one superseded value more than maxCount is kept',
    breaks: ['superseded values are kept for tails'],
    options: (given) => ({
      ...given,
      ...(given.topics && {
        topics: given.topics.map((rule) =>
          rule.kind === 'state' && rule.retention?.maxCount
            ? { ...rule, retention: { ...rule.retention, maxCount: rule.retention.maxCount + 1 } }
            : rule,
        ),
      }),
    }),
  },
  {
    name: 'superseded values are kept for twice their age',
    breaks: ['the newest value of a key does not age'],
    options: (given) => ({
      ...given,
      ...(given.topics && {
        topics: given.topics.map((rule) =>
          rule.kind === 'state' && rule.retention?.maxAgeMs
            ? { ...rule, retention: { ...rule.retention, maxAgeMs: 2 * rule.retention.maxAgeMs } }
            : rule,
        ),
      }),
    }),
  },
  {
    name: 'the bound of state keys is not kept to',
    breaks: ['beyond maxStateKeys'],
    options: unboundedKeys,
  },
  {
    name: 'a state key is forgotten to make room',
    breaks: ['beyond maxStateKeys'],
    options: unboundedKeys,
    wrap: (log) => onSnapshots(log, 'state', (events) => events.slice(-3)),
  },
  {
    name: 'state topics are forgotten beyond maxTopics',
    breaks: ['a log that forgets topics forgets no state'],
    wrap: (log) =>
      withMethods(log, {
        snapshot: async (selectors, options) => ({ ...(await log.snapshot(selectors, options)), partial: true }),
      }),
  },
]

function unboundedKeys(given: EventLogOptions): EventLogOptions {
  const { maxStateKeys: _, ...rest } = given
  return rest
}

function byTopic({ topic }: StoredEvent): string {
  return topic
}

function isLastOf(
  events: readonly StoredEvent[],
  i: number,
  one: StoredEvent,
  groupOf: (event: StoredEvent) => string,
): boolean {
  return !events.slice(i + 1).some((later) => groupOf(later) === groupOf(one))
}
