import type {
  EventLog,
  Gap,
  Page,
  ReadQuery,
  Snapshot,
  SnapshotKind,
  StoredEvent,
  TailListener,
} from '@millrace/server'
import { withMethods } from './log-setup.ts'

export const NO_LIMIT: Pick<ReadQuery, 'maxCount' | 'maxBytes'> = { maxCount: 1_000_000, maxBytes: 1e12 }

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export function mapPage(result: Page | Gap, change: (page: Page) => Page): Page | Gap {
  return result.kind === 'page' ? change(result) : result
}

/** The log with every page changed. */
export function withPages(log: EventLog, change: (page: Page, query: ReadQuery) => Page): EventLog {
  return withMethods(log, { read: async (query) => mapPage(await log.read(query), (page) => change(page, query)) })
}

/** The log with every gap answered in another way. */
export function withGaps(log: EventLog, change: (gap: Gap, query: ReadQuery) => Promise<Page | Gap>): EventLog {
  return withMethods(log, {
    read: async (query) => {
      const result = await log.read(query)
      return result.kind === 'gap' ? change(result, query) : result
    },
  })
}

/** The log with every listener changed. */
export function withListeners(log: EventLog, change: (listener: TailListener) => Partial<TailListener>): EventLog {
  return withMethods(log, {
    tail: (after, listener) =>
      log.tail(after, {
        onEvents: (events) => listener.onEvents(events),
        onEpoch: (head) => listener.onEpoch(head),
        onInterrupted: (error) => listener.onInterrupted(error),
        onResumed: () => listener.onResumed(),
        ...change(listener),
      }),
  })
}

/** A page of everything kept after a `seq`, whatever was evicted. */
export async function readAnyway(log: EventLog, query: ReadQuery, afterSeq: number): Promise<Page> {
  const page = await log.read({ ...query, ...NO_LIMIT, after: 'oldest' })
  if (page.kind === 'gap') throw new Error('A read from the oldest gave a gap.')
  return { ...page, events: page.events.filter(({ position }) => position.seq > afterSeq) }
}

export function bySeq(one: StoredEvent, other: StoredEvent): number {
  return one.position.seq - other.position.seq
}

export function eachSnapshot(log: EventLog, change: (snapshot: Snapshot) => Snapshot): EventLog {
  return withMethods(log, {
    snapshot: async (selectors, options) => change(await log.snapshot(selectors, options)),
  })
}

/** The log with the events of one kind of snapshot changed. */
export function onSnapshots(
  log: EventLog,
  kind: SnapshotKind,
  change: (events: readonly StoredEvent[]) => readonly StoredEvent[],
): EventLog {
  return withMethods(log, {
    snapshot: async (selectors, options) => {
      const snapshot = await log.snapshot(selectors, options)
      return (options?.of ?? 'log') === kind ? { ...snapshot, events: change(snapshot.events) } : snapshot
    },
  })
}
