import type { EventLog, Snapshot, StoredEvent, TopicRule } from '@millrace/server'
import { NO_LIMIT, nextTurn } from './fault-tools.ts'
import { parseSelector } from '@millrace/protocol'
import { withMethods, type LogFault } from './log-setup.ts'

type Retention = NonNullable<TopicRule['retention']>

export const retentionFaults: readonly LogFault[] = [
  {
    name: 'one event more than maxCount is kept',
    breaks: ['of more events than maxCount', 'random appends, reads'],
    options: (given) =>
      withRetention(given, ({ maxCount, ...rest }) => ({ ...rest, maxCount: maxCount ? maxCount + 1 : false })),
  },
  {
    name: 'bytes are counted as characters, and a byte too generous',
    breaks: ['of more bytes than maxBytes', 'random appends, reads'],
    options: (given) =>
      withRetention(given, ({ maxBytes, ...rest }) => ({ ...rest, maxBytes: maxBytes ? maxBytes + 1 : false })),
  },
  {
    name: 'events are evicted a millisecond early',
    breaks: ['an event is kept until it is older', 'random appends, reads'],
    options: (given) =>
      withRetention(given, ({ maxAgeMs, ...rest }) => ({
        ...rest,
        maxAgeMs: maxAgeMs ? Math.max(1, maxAgeMs - 1) : false,
      })),
  },
  {
    name: 'age follows the wall clock',
    breaks: ['a step of the wall clock'],
    wrap: (log, { clock }) => {
      const appendedMs: number[] = []
      return withMethods(log, {
        append: (events) => {
          for (const _ of events) appendedMs.push(clock.time())
          return log.append(events)
        },
        read: async (query) => {
          const page = await log.read(query)
          if (page.kind === 'gap') return page
          const isYoung = (seq: number): boolean => clock.time() - (appendedMs[seq - 1] ?? 0) <= 60_000
          return { ...page, events: page.events.filter(({ position }) => isYoung(position.seq)) }
        },
      })
    },
  },
  {
    name: 'the last rule that matches is the one',
    breaks: ['the first rule that matches a topic'],
    options: (given) => ({ ...given, topics: given.topics?.toReversed() ?? [] }),
  },
  {
    name: 'what follows a hole is not found',
    breaks: ['what one rule evicts leaves', 'random appends, reads'],
    wrap: (log) =>
      withMethods(log, {
        read: async (query) => {
          const page = await log.read(query)
          if (page.kind === 'gap' || query.after === 'oldest') return page
          const { after } = query
          return { ...page, events: page.events.filter(({ position }) => position.seq - after.seq < 40) }
        },
      }),
  },
  {
    name: 'the oldest position is that of the oldest event itself',
    breaks: ['the oldest position is the one just before', 'random appends, reads'],
    wrap: (log) =>
      withMethods(log, {
        bounds: async () => {
          const bounds = await log.bounds()
          return { ...bounds, oldest: { ...bounds.oldest, seq: Math.min(bounds.head.seq, bounds.oldest.seq + 1) } }
        },
      }),
  },
  {
    name: 'a read from the oldest begins at the oldest event of whatever topic',
    breaks: ['a read from the oldest never gives a gap', 'random appends, reads'],
    wrap: (log) => fromOldestEvent(log),
  },
  {
    name: 'an event that breaks a limit by itself is kept all the same',
    breaks: ['an event that breaks a limit by itself'],
    options: (given) =>
      withRetention(given, ({ maxBytes, ...rest }) => ({ ...rest, maxBytes: maxBytes ? 1000 : false })),
  },
  {
    name: 'a snapshot has the first event of each topic',
    breaks: ['a snapshot has the last event of each topic'],
    wrap: (log) =>
      withSnapshots(log, async (snapshot) => {
        const page = await log.read({ after: 'oldest', selectors: 'all', maxCount: 1_000_000, maxBytes: 1e12 })
        if (page.kind === 'gap') return snapshot
        const firstOf = (topic: string) => page.events.find((event) => event.topic === topic)
        return { ...snapshot, events: snapshot.events.map((event) => firstOf(event.topic) ?? event) }
      }),
  },
  {
    name: 'a snapshot is newest first',
    breaks: ['a snapshot has the last event of each topic', 'random appends, reads'],
    wrap: (log) => withSnapshots(log, async (snapshot) => ({ ...snapshot, events: snapshot.events.toReversed() })),
  },
  {
    name: 'a snapshot of an empty log has no position',
    breaks: ['a snapshot of an empty log'],
    wrap: (log) => withSnapshots(log, async (snapshot) => ({ ...snapshot, at: { ...snapshot.at, epoch: '' } })),
  },
  {
    name: 'a snapshot has only what retention keeps',
    breaks: ['retention does not touch', 'age does not touch', 'random appends, reads'],
    wrap: (log) =>
      withSnapshots(log, async (snapshot) => {
        const { oldest } = await log.bounds()
        return { ...snapshot, events: snapshot.events.filter(({ position }) => position.seq > oldest.seq) }
      }),
  },
  {
    name: 'a snapshot is newer than its position',
    breaks: ['a snapshot among pending appends'],
    wrap: (log) =>
      withMethods(log, {
        snapshot: async (selectors) => {
          const { head } = await log.bounds()
          await nextTurn()
          return { ...(await log.snapshot(selectors)), at: head }
        },
      }),
  },
  {
    name: 'a snapshot is older than its position',
    breaks: ['a snapshot among pending appends'],
    wrap: (log) =>
      withSnapshots(log, async (snapshot) => {
        await nextTurn()
        return { ...snapshot, at: (await log.bounds()).head }
      }),
  },
  {
    name: 'a log that forgot topics does not say so',
    breaks: ['a log that forgot topics says so', 'a log that forgets topics at random steps'],
    wrap: (log) => withSnapshots(log, async (snapshot) => ({ ...snapshot, partial: false })),
  },
]

function withRetention<T extends { readonly topics?: readonly TopicRule[] }>(
  given: T,
  change: (retention: Retention) => Retention,
): T {
  const topics = given.topics?.map((rule) => ({ ...rule, retention: change(rule.retention ?? {}) }))
  return topics ? { ...given, topics } : given
}

function withSnapshots(log: EventLog, change: (snapshot: Snapshot) => Promise<Snapshot>): EventLog {
  return withMethods(log, { snapshot: async (selectors) => change(await log.snapshot(selectors)) })
}

/** Reads topic by topic, so that what is kept of one is found before what was evicted of another. */
function fromOldestEvent(log: EventLog): EventLog {
  return withMethods(log, {
    read: async (query) => {
      const whole = await log.read(query)
      if (query.after !== 'oldest' || whole.kind === 'gap') return whole
      const events: StoredEvent[] = []
      for (const { topic } of (await log.snapshot(query.selectors)).events) {
        const page = await log.read({ ...query, ...NO_LIMIT, selectors: [parseSelector(topic)] })
        if (page.kind === 'page') events.push(...page.events)
      }
      return { ...whole, events: events.toSorted((one, other) => one.position.seq - other.position.seq) }
    },
  })
}
