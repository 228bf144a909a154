import type { EventLog, Recent } from '@millrace/server'
import { NO_LIMIT } from './fault-tools.ts'
import { withMethods, type LogFault } from './log-setup.ts'

function withRecent(log: EventLog, change: (recent: Recent) => Recent | Promise<Recent>): EventLog {
  return withMethods(log, { recent: async (limits) => change(await log.recent(limits)) })
}

export const recentFaults: readonly LogFault[] = [
  {
    name: 'the newest events lack the last one',
    breaks: ['the newest events reach back', 'the newest events are there after an append'],
    wrap: (log) => withRecent(log, ({ after, events }) => ({ after, events: events.slice(0, -1) })),
  },
  {
    name: 'the newest events are fewer than the limits allow',
    breaks: ['the newest events reach back', 'the newest events have at most maxBytes'],
    wrap: (log) =>
      withRecent(log, ({ after, events }) => ({ after: events[2]?.position ?? after, events: events.slice(3) })),
  },
  {
    name: 'the newest events are those of log topics',
    breaks: ['the newest events reach back'],
    wrap: (log) =>
      withRecent(log, ({ after, events }) => ({
        after,
        events: events.filter(({ topic }) => !topic.startsWith('s.')),
      })),
  },
  {
    name: 'the newest events jump over what was evicted',
    breaks: ['the newest events end where one was evicted'],
    wrap: (log) =>
      withMethods(log, {
        async recent(limits) {
          const { after, events } = await log.recent(limits)
          const all = await log.read({ after: 'oldest', selectors: 'all', ...NO_LIMIT })
          const older = all.kind === 'page' ? all.events.filter(({ position }) => position.seq <= after.seq) : []
          const start = all.kind === 'page' && older.length > 1 ? { ...after, seq: 2 } : after
          return { after: start, events: [...older, ...events] }
        },
      }),
  },
  {
    name: 'the newest events know no bytes',
    breaks: ['the newest events have at most maxBytes'],
    wrap: (log) => withMethods(log, { recent: (limits) => log.recent({ ...limits, maxBytes: NO_LIMIT.maxBytes }) }),
  },
  {
    name: 'the place of no newest events is the oldest',
    breaks: ['a log whose newest event is not kept'],
    wrap: (log) =>
      withRecent(log, async ({ after, events }) => ({
        after: events.length > 0 ? after : (await log.bounds()).oldest,
        events,
      })),
  },
  {
    name: 'limits of the newest events are taken as they come',
    breaks: ['limits of the newest events'],
    wrap: (log) => {
      const sound = (limit: number): number => Math.max(1, Math.trunc(limit) || 1)
      return withMethods(log, {
        recent: ({ maxCount, maxBytes }) => log.recent({ maxCount: sound(maxCount), maxBytes: sound(maxBytes) }),
      })
    },
  },
]
