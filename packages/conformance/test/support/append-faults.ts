import type { Position } from '@millrace/protocol'
import { LogError, type EventLog, type NewEvent, type Page, type StoredEvent } from '@millrace/server'
import { mapPage, nextTurn } from './fault-tools.ts'
import { withMethods, type LogFault } from './log-setup.ts'

export const appendFaults: readonly LogFault[] = [
  {
    name: 'it promises more than it does',
    breaks: ['a log guarantees'],
    wrap: (log) => withMethods(log, { guarantees: { ...log.guarantees, durable: true } }),
  },
  {
    name: 'an empty log has no position of its own',
    breaks: ['an empty log has seq 0'],
    wrap: (log) =>
      withMethods(log, {
        bounds: async () => {
          const bounds = await log.bounds()
          return bounds.head.seq > 0 ? bounds : { ...bounds, head: { ...bounds.head, check: '' } }
        },
      }),
  },
  {
    name: 'append returns positions in the wrong order',
    breaks: ['append returns the position of each event', 'a list of 20,000 events'],
    wrap: (log) => withMethods(log, { append: async (events) => (await log.append(events)).toReversed() }),
  },
  {
    name: 'append returns another check than it keeps',
    breaks: ['events are read at the positions', 'an event can be read'],
    wrap: (log) => withMethods(log, { append: async (events) => (await log.append(events)).map(withOtherCheck) }),
  },
  {
    name: 'data is trimmed',
    breaks: ['events are read at the positions'],
    wrap: (log) =>
      withMethods(log, {
        append: (events) => log.append(events.map((event) => ({ ...event, data: event.data.slice(0, 30) }))),
      }),
  },
  {
    name: 'an event without a type gets one',
    breaks: ['events are read at the positions'],
    wrap: (log) =>
      withMethods(log, { append: (events) => log.append(events.map((event) => ({ type: 'message', ...event }))) }),
  },
  {
    name: 'checks are always the same',
    breaks: ['an epoch names one life'],
    wrap: (log) =>
      withMethods(log, {
        append: async (events) => (await log.append(events)).map((one) => ({ ...one, check: 'aaa' })),
      }),
  },
  {
    name: 'long lists are overtaken by short ones',
    breaks: ['appends that are pending at once'],
    wrap: (log) =>
      withMethods(log, {
        append: async (events) => {
          if (events.length > 5) await nextTurn()
          return log.append(events)
        },
      }),
  },
  {
    name: 'appends resolve before the events can be read',
    breaks: ['an event can be read'],
    wrap: (log) => behind(log),
  },
  {
    name: 'an empty list is handed over',
    breaks: ['an empty list stores nothing'],
    wrap: handOverEmptyLists,
  },
  {
    name: 'of a list with a malformed event the events before it are stored',
    breaks: ['an event that is malformed'],
    wrap: (log) => withMethods(log, { append: (events) => appendInPart(log, events) }),
  },
  {
    name: 'what is given is copied too late',
    breaks: ['lists and events that were given'],
    wrap: (log) =>
      withMethods(log, {
        append: async (events) => {
          await Promise.resolve()
          return log.append(events)
        },
      }),
  },
  {
    name: 'times follow the clock wherever it goes',
    breaks: ['the time of events never falls'],
    wrap: (log, { clock }) => {
      const times = new Map<number, number>()
      return withMethods(log, {
        append: async (events) => {
          const positions = await log.append(events)
          for (const { seq } of positions) times.set(seq, clock.time())
          return positions
        },
        read: async (query) =>
          mapPage(await log.read(query), (page) => ({
            ...page,
            events: page.events.map((stored) => ({ ...stored, timeMs: times.get(stored.position.seq) ?? 0 })),
          })),
      })
    },
  },
  {
    name: 'methods work on after close',
    breaks: ['after close every method'],
    wrap: (log) => {
      const reading = log.snapshot('all')
      return withMethods(log, { snapshot: () => reading })
    },
  },
  {
    name: 'a second close is refused',
    breaks: ['close may be called twice'],
    wrap: (log) => {
      let isClosed = false
      return withMethods(log, {
        close: async () => {
          if (isClosed) throw new LogError('closed', 'The log was closed.')
          isClosed = true
          await log.close()
        },
      })
    },
  },
  {
    name: 'calls that are pending at close never settle',
    breaks: ['calls that are pending when the log is closed'],
    wrap: (log) => {
      let isClosed = false
      return withMethods(log, {
        bounds: async () => {
          await nextTurn()
          return isClosed ? new Promise(() => undefined) : log.bounds()
        },
        close: () => {
          isClosed = true
          return log.close()
        },
      })
    },
  },
]

function withOtherCheck(position: Position): Position {
  return { ...position, check: position.check === 'aaa' ? 'bbb' : 'aaa' }
}

/** Reads see the last but one append. */
function behind(log: EventLog): EventLog {
  let seen: Promise<Page | undefined> = Promise.resolve(undefined)
  return withMethods(log, {
    read: async (query) => {
      const previous = await seen
      const result = await log.read(query)
      if (result.kind === 'page') seen = Promise.resolve(result)
      return previous ?? result
    },
  })
}

function handOverEmptyLists(log: EventLog): EventLog {
  const listeners: ((events: StoredEvent[]) => unknown)[] = []
  return withMethods(log, {
    tail: (after, listener) => {
      listeners.push((events) => listener.onEvents(events))
      return log.tail(after, listener)
    },
    append: async (events) => {
      if (events.length === 0) for (const listener of listeners) listener([])
      return log.append(events)
    },
  })
}

async function appendInPart(log: EventLog, events: readonly NewEvent[]): Promise<readonly Position[]> {
  try {
    return await log.append(events)
  } catch (error) {
    const isWhole = ({ topic, data }: NewEvent): boolean => typeof topic === 'string' && typeof data === 'string'
    const firstBroken = events.findIndex((event) => !isWhole(event))
    if (firstBroken > 0) await log.append(events.slice(0, firstBroken))
    throw error
  }
}
