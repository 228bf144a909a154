import { LogError, type EventLog, type StoredEvent, type TailListener } from '@millrace/server'
import { nextTurn, withListeners } from './fault-tools.ts'
import { withMethods, type LogFault } from './log-setup.ts'

export const tailFaults: readonly LogFault[] = [
  {
    name: 'a tail loses an event now and then',
    breaks: [
      'a tail from the head hands over',
      'a list of 20,000 events',
      'random appends, reads',
      'a tail from an old position hands over a long past',
    ],
    wrap: (log) => withBatches(log, (events) => events.filter(({ position }) => position.seq % 9 !== 5)),
  },
  {
    name: 'a tail hands an event over twice',
    breaks: ['a tail from the head hands over', 'random appends, reads'],
    wrap: (log) => {
      const seen: StoredEvent[] = []
      return withBatches(log, (events) => {
        const again = seen.splice(0)
        seen.push(...events.slice(-1))
        return [...again, ...events]
      })
    },
  },
  {
    name: 'a tail swaps events',
    breaks: ['a tail from the head hands over', 'random appends, reads'],
    wrap: (log) => withBatches(log, (events) => [...events].reverse()),
  },
  {
    name: 'a tail says that it starts at the head',
    breaks: ['a tail says after which position'],
    wrap: (log) =>
      withMethods(log, {
        tail: async (after, listener) => {
          const tail = await log.tail(after, listener)
          const { head } = await log.bounds()
          return { start: head, close: () => tail.close() }
        },
      }),
  },
  {
    name: 'a tail from an old position leaves out the past',
    breaks: ['a tail from an old position hands over the past', 'a tail from an old position hands over a long past'],
    wrap: (log) =>
      withMethods(log, {
        tail: async (after, listener) => {
          const tail = await log.tail('head', listener)
          return { start: after === 'head' ? tail.start : after, close: () => tail.close() }
        },
      }),
  },
  {
    name: 'a tail starts later than it says',
    breaks: ['a tail that starts among pending appends'],
    wrap: (log) =>
      withMethods(log, {
        tail: async (after, listener) => {
          const { head } = await log.bounds()
          await nextTurn()
          const tail = await log.tail(after, listener)
          return { start: after === 'head' ? head : tail.start, close: () => tail.close() }
        },
      }),
  },
  {
    name: 'a listener is called from within tail',
    breaks: ['no listener method is called'],
    wrap: (log) =>
      withMethods(log, {
        tail: (after, listener) => {
          listener.onResumed()
          return log.tail(after, listener)
        },
      }),
  },
  {
    name: 'a tail does not wait for its listener',
    breaks: ['a tail hands over nothing more until'],
    wrap: (log) =>
      withListeners(log, (listener) => ({
        onEvents: (events) => {
          void listener.onEvents(events)
        },
      })),
  },
  {
    name: 'an append waits for the listeners',
    breaks: ['a slow listener holds up no other'],
    wrap: (log) => waitingAppends(log),
  },
  {
    name: 'all tails get the same list',
    breaks: ['what one listener does to its list'],
    wrap: (log) => {
      const lists = new Map<number, readonly StoredEvent[]>()
      return withBatches(log, (events) => {
        const seq = events[0]?.position.seq ?? 0
        const list = lists.get(seq) ?? events
        lists.set(seq, list)
        return list
      })
    },
  },
  {
    name: 'a tail that was overtaken forgets what is kept',
    breaks: ['a slow tail that retention overtakes'],
    wrap: (log) =>
      withBatches(log, (events) => events.filter(({ position }) => position.seq <= 39_000 || position.seq === 40_000)),
  },
  {
    name: 'a tail cannot start before evicted events',
    breaks: ['a tail may start before events that were evicted'],
    wrap: (log) =>
      withMethods(log, {
        tail: async (after, listener) => {
          const { oldest } = await log.bounds()
          if (after !== 'head' && after.seq < oldest.seq) throw new LogError('invalid', 'That was evicted.')
          return log.tail(after, listener)
        },
      }),
  },
  {
    name: 'a tail from a position of elsewhere starts at the head',
    breaks: ['a tail from a position that is not of this log'],
    wrap: (log) =>
      withMethods(log, {
        tail: (after, listener) =>
          log.tail(after, listener).catch((error: unknown) => {
            if (error instanceof LogError && error.code === 'invalid') return log.tail('head', listener)
            throw error
          }),
      }),
  },
  {
    name: 'closing a tail does nothing',
    breaks: ['a tail that was closed calls its listener no more', 'a tail may be closed from within'],
    wrap: (log) =>
      withMethods(log, {
        tail: async (after, listener) => {
          const { start } = await log.tail(after, listener)
          return { start, close: () => Promise.resolve() }
        },
      }),
  },
  {
    name: 'closing a tail waits for its listener',
    breaks: ['a tail may be closed from within'],
    wrap: closingTailsWait,
  },
  {
    name: 'closing the log leaves its tails',
    breaks: ['close ends all tails'],
    wrap: (log) => {
      const listeners: TailListener[] = []
      return withMethods(log, {
        tail: (after, listener) => {
          listeners.push(listener)
          return log.tail(after, listener)
        },
        close: async () => {
          await log.close()
          for (const listener of listeners) setImmediate(() => listener.onResumed())
        },
      })
    },
  },
  {
    name: 'an append while the backend is away never settles',
    breaks: ['while the backend is away'],
    wrap: (log) =>
      withMethods(log, {
        append: (events) =>
          log.append(events).catch((error: unknown) => {
            if (error instanceof LogError && error.code === 'unavailable') return []
            throw error
          }),
      }),
  },
  {
    name: 'a tail does not say that it was interrupted',
    breaks: ['a tail says when it cannot be followed'],
    wrap: (log) => withListeners(log, () => ({ onInterrupted: () => undefined })),
  },
  {
    name: 'a tail does not say that an epoch began',
    breaks: ['a new epoch is told to the tail'],
    wrap: (log) => withListeners(log, () => ({ onEpoch: () => undefined })),
  },
]

function withBatches(log: EventLog, change: (events: readonly StoredEvent[]) => readonly StoredEvent[]): EventLog {
  return withListeners(log, (listener) => ({
    onEvents: (events) => {
      const changed = change(events)
      return changed.length > 0 ? listener.onEvents(changed) : undefined
    },
  }))
}

function waitingAppends(log: EventLog): EventLog {
  let handedOver: Promise<unknown> = Promise.resolve()
  const waiting = withListeners(log, (listener) => ({
    onEvents: async (events) => {
      const done = Promise.resolve(listener.onEvents(events))
      handedOver = Promise.all([handedOver, done])
      await done
    },
  }))
  return withMethods(waiting, {
    append: async (events) => {
      const positions = await log.append(events)
      await handedOver
      return positions
    },
  })
}

function closingTailsWait(log: EventLog): EventLog {
  let busy: Promise<unknown> = Promise.resolve()
  const watched = withListeners(log, (listener) => ({
    onEvents: (events) => {
      const done = Promise.resolve(listener.onEvents(events))
      busy = done
      return done
    },
  }))
  return withMethods(watched, {
    tail: async (after, listener) => {
      const tail = await watched.tail(after, listener)
      return {
        start: tail.start,
        close: async () => {
          await busy
          await tail.close()
        },
      }
    },
  })
}
