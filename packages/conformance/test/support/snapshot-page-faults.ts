import {
  LogError,
  type EventLog,
  type Snapshot,
  type SnapshotKind,
  type SnapshotOptions,
  type StoredEvent,
} from '@millrace/server'
import { bySeq, eachSnapshot, nextTurn, NO_LIMIT, onSnapshots, withPages } from './fault-tools.ts'
import { withMethods, type LogFault } from './log-setup.ts'

type Selectors = Parameters<EventLog['snapshot']>[0]

export const snapshotPageFaults: readonly LogFault[] = [
  {
    name: 'pages overlap by one',
    breaks: ['the pages of a snapshot are together', 'random appends, reads'],
    wrap: (log) => withCursors(log, ({ at, afterSeq }) => ({ at, afterSeq: Math.max(0, afterSeq - 1) })),
  },
  {
    name: 'a page leaves out the event after its cursor',
    breaks: ['a page of a snapshot has at most maxBytes', 'random appends, reads'],
    wrap: (log) => withCursors(log, ({ at, afterSeq }) => ({ at, afterSeq: afterSeq + 1 })),
  },
  {
    name: 'the last page is never said to be the last',
    breaks: ['the pages of a snapshot are together'],
    wrap: (log) =>
      eachSnapshot(log, (snapshot) => ({
        ...snapshot,
        next: snapshot.next ?? { at: snapshot.at, afterSeq: snapshot.events.at(-1)?.position.seq ?? 0 },
      })),
  },
  {
    name: 'maxBytes of a snapshot is ignored',
    breaks: ['a page of a snapshot has at most maxBytes'],
    wrap: (log) =>
      withMethods(log, {
        snapshot: (selectors, options = {}) => {
          const { maxBytes: _, ...rest } = options
          return log.snapshot(selectors, rest)
        },
      }),
  },
  {
    name: 'a page has one event, whatever it may have',
    breaks: ['a page of a snapshot has at most maxBytes'],
    wrap: (log) =>
      withMethods(log, {
        snapshot: (selectors, options = {}) =>
          log.snapshot(selectors, options.maxBytes ? { ...options, maxCount: 1 } : options),
      }),
  },
  {
    name: 'a snapshot without limits is paged all the same',
    breaks: ['a snapshot without limits is one page'],
    wrap: (log) =>
      withMethods(log, { snapshot: (selectors, options) => log.snapshot(selectors, { maxCount: 10_000, ...options }) }),
  },
  {
    name: 'each page is of the present',
    breaks: ['what is appended between two pages'],
    wrap: (log) =>
      withMethods(log, {
        snapshot: async (selectors, { cursor, ...options } = {}) => {
          if (!cursor) return log.snapshot(selectors, options)
          const { head } = await log.bounds()
          const page = await log.snapshot(selectors, { ...options, cursor: { ...cursor, at: head } })
          return { ...page, at: cursor.at, ...(page.next && { next: { ...page.next, at: cursor.at } }) }
        },
      }),
  },
  {
    name: 'pages have what was replaced in the meantime',
    breaks: ['what is appended between two pages'],
    wrap: (log) => {
      const whole = new Map<SnapshotKind, readonly StoredEvent[]>()
      return withMethods(log, {
        snapshot: async (selectors, options = {}) => {
          const { of = 'log', cursor, maxCount } = options
          const page = await log.snapshot(selectors, options)
          if (!cursor) whole.set(of, (await log.snapshot(selectors, { of })).events)
          if (maxCount !== 2 || !cursor) return page
          const after = (whole.get(of) ?? []).filter(({ position }) => position.seq > cursor.afterSeq)
          const events = after.slice(0, maxCount)
          const afterSeq = events.at(-1)?.position.seq ?? cursor.afterSeq
          return {
            ...snapshotWithoutNext(page),
            events,
            ...(after.length > maxCount && { next: { at: cursor.at, afterSeq } }),
          }
        },
      })
    },
  },
  {
    name: 'a cursor of another epoch is read on from',
    breaks: ['a cursor of another epoch'],
    wrap: (log) =>
      withMethods(log, {
        snapshot: async (selectors, options = {}) => {
          const { head } = await log.bounds()
          const { cursor } = options
          const isOther = cursor && cursor.at.epoch !== head.epoch
          return log.snapshot(selectors, isOther ? { ...options, cursor: { ...cursor, at: head } } : options)
        },
      }),
  },
  {
    name: 'options of a snapshot that make no sense are mended',
    breaks: ['options of a snapshot that make no sense'],
    wrap: (log) =>
      withMethods(log, {
        snapshot: (selectors, options) =>
          log.snapshot(selectors, options).catch((error: unknown) => {
            if (error instanceof LogError && error.code === 'invalid') return log.snapshot(selectors)
            throw error
          }),
      }),
  },
  {
    name: 'a topic that was opened again has still ended',
    breaks: ['a snapshot of what has ended', 'random appends, reads'],
    wrap: (log) => withEnded(log, (events) => events.filter(({ end }) => end)),
  },
  {
    name: 'only log topics end',
    breaks: ['a snapshot of what has ended', 'random appends, reads'],
    wrap: (log) => onSnapshots(log, 'ended', (events) => events.filter(({ topic }) => !topic.startsWith('s.'))),
  },
  {
    name: 'a state topic has ended when one of its keys has',
    breaks: ['a snapshot of what has ended'],
    wrap: (log) =>
      withMethods(log, {
        snapshot: async (selectors, options) => {
          const snapshot = await log.snapshot(selectors, options)
          if (options?.of !== 'ended') return snapshot
          const { events } = await log.snapshot(selectors, { of: 'state' })
          const ended = events.filter((one) => one.end && !snapshot.events.some(({ topic }) => topic === one.topic))
          return { ...snapshot, events: [...snapshot.events, ...ended].toSorted(bySeq) }
        },
      }),
  },
  {
    name: 'what has ended is forgotten with its events',
    breaks: ['ended topics are beyond', 'random appends, reads'],
    wrap: (log) =>
      withMethods(log, {
        snapshot: async (selectors, options) => {
          const snapshot = await log.snapshot(selectors, options)
          if (options?.of !== 'ended') return snapshot
          const { oldest } = await log.bounds()
          return { ...snapshot, events: snapshot.events.filter(({ position }) => position.seq > oldest.seq) }
        },
      }),
  },
  {
    name: 'a snapshot of state is newer than its position',
    breaks: ['snapshots among pending appends are of their position'],
    wrap: (log) =>
      withMethods(log, {
        snapshot: async (selectors, options) => {
          const { head } = await log.bounds()
          await nextTurn()
          return { ...(await log.snapshot(selectors, options)), at: head }
        },
      }),
  },
  {
    name: 'the list of a snapshot is shared by all who ask',
    breaks: ['the list of a snapshot belongs'],
    wrap: (log) => {
      const lists = new Map<SnapshotKind, readonly StoredEvent[]>()
      return withMethods(log, {
        snapshot: async (selectors, options = {}) => {
          const snapshot = await log.snapshot(selectors, options)
          const { of = 'log' } = options
          const events = lists.get(of) ?? snapshot.events
          lists.set(of, events)
          return { ...snapshot, events }
        },
      })
    },
  },
  {
    name: 'end is not part of what is read',
    breaks: ['a snapshot of what has ended', 'events are read at the positions'],
    wrap: (log) => withPages(log, (page) => ({ ...page, events: page.events.map(withoutEnd) })),
  },
  {
    name: 'a wrong field is stored',
    breaks: ['an event that is malformed'],
    wrap: (log) =>
      withMethods(log, {
        append: (events, options) =>
          log.append(
            events.map((event) => (typeof event.key === 'number' ? { ...event, key: String(event.key) } : event)),
            options,
          ),
      }),
  },
]

function withCursors(
  log: EventLog,
  change: (cursor: NonNullable<SnapshotOptions['cursor']>) => NonNullable<SnapshotOptions['cursor']>,
): EventLog {
  return withMethods(log, {
    snapshot: (selectors, options) =>
      log.snapshot(selectors, options?.cursor ? { ...options, cursor: change(options.cursor) } : options),
  })
}

/** Ended topics are looked for in all that is kept, by what is left of it. */
function withEnded(log: EventLog, change: (events: readonly StoredEvent[]) => readonly StoredEvent[]): EventLog {
  const endedOf = async (selectors: Selectors): Promise<readonly StoredEvent[]> => {
    const page = await log.read({ after: 'oldest', selectors, ...NO_LIMIT })
    return page.kind === 'page' ? change(page.events) : []
  }
  return withMethods(log, {
    snapshot: async (selectors, options) => {
      const snapshot = await log.snapshot(selectors, options)
      return options?.of === 'ended' ? { ...snapshot, events: await endedOf(selectors) } : snapshot
    },
  })
}

function snapshotWithoutNext(snapshot: Snapshot): Snapshot {
  const { next: _, ...rest } = snapshot
  return rest
}

function withoutEnd(stored: StoredEvent): StoredEvent {
  const { end: _, ...rest } = stored
  return rest
}
