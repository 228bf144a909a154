import type { Position } from '@millrace/protocol'
import { LogError, type EventLog, type NewEvent } from '@millrace/server'
import { nextTurn } from './fault-tools.ts'
import { withMethods, type LogFault } from './log-setup.ts'

export const dedupeFaults: readonly LogFault[] = [
  {
    name: 'dedupeKeys are ignored',
    breaks: [
      'an event with a dedupeKey that was stored',
      'of a list what was stored before',
      'the same key sent by many appends',
      'dedupe keys do not follow',
      'the older value of a state topic',
      'random appends, reads',
    ],
    wrap: (log) => withEvents(log, (events) => events.map(withoutKey)),
  },
  {
    name: 'an event is only a repetition when it says the same',
    breaks: ['an event with a dedupeKey that was stored'],
    wrap: (log) => withKeys(log, ({ dedupeKey, topic, data }) => `${dedupeKey} ${topic} ${data}`),
  },
  {
    name: 'the dedupeKey is stored with the event',
    breaks: ['an event with a dedupeKey that was stored'],
    wrap: (log) =>
      withMethods(log, {
        read: async (query) => {
          const result = await log.read(query)
          if (result.kind === 'gap') return result
          return { ...result, events: result.events.map((stored) => ({ ...stored, dedupeKey: 'x' })) }
        },
      }),
  },
  {
    name: 'a second one inside a list is stored',
    breaks: ['of a list what was stored before', 'random appends, reads'],
    wrap: (log) =>
      withEvents(log, (events) =>
        events.map((event, i) =>
          events.slice(0, i).some(({ dedupeKey }) => dedupeKey === event.dedupeKey) ? withoutKey(event) : event,
        ),
      ),
  },
  {
    name: 'a list with a repetition is not stored at all',
    breaks: ['of a list what was stored before', 'random appends, reads'],
    wrap: (log) => {
      const positions = new Map<string, Position>()
      return withMethods(log, {
        append: async (events, options) => {
          const known = events.map(({ dedupeKey }) => positions.get(dedupeKey ?? ''))
          const first = known.find((position) => position !== undefined)
          if (first) return events.map((_, i) => known[i] ?? first)
          const appended = await log.append(events, options)
          for (const [i, position] of appended.entries()) {
            const { dedupeKey } = events[i] ?? {}
            if (dedupeKey !== undefined) positions.set(dedupeKey, position)
          }
          return appended
        },
      })
    },
  },
  {
    name: 'publishers share their keys',
    breaks: ['two publishers with the same dedupeKey'],
    wrap: (log) => withMethods(log, { append: (events) => log.append(events) }),
  },
  {
    name: 'publisher and key run into each other',
    breaks: ['two publishers with the same dedupeKey'],
    wrap: (log) =>
      withMethods(log, {
        append: (events, { publisher = '' } = {}) =>
          log.append(
            events.map((event) =>
              event.dedupeKey === undefined ? event : { ...event, dedupeKey: publisher + event.dedupeKey },
            ),
          ),
      }),
  },
  {
    name: 'what is pending is not known yet',
    breaks: ['the same key sent by many appends'],
    wrap: (log) => {
      const known = new Set<string>()
      return withMethods(log, {
        append: async (events, options) => {
          const given = events.map((event) => (known.has(event.dedupeKey ?? '') ? event : withoutKey(event)))
          await nextTurn()
          for (const { dedupeKey } of events) if (dedupeKey !== undefined) known.add(dedupeKey)
          return log.append(given, options)
        },
      })
    },
  },
  {
    name: 'a key is forgotten a millisecond early',
    breaks: ['a dedupeKey is remembered', 'random appends, reads'],
    wrap: (log, { clock }) => {
      const storedMs = new Map<string, number>()
      return withEvents(log, (events) =>
        events.map((event) => {
          const { dedupeKey = '' } = event
          const isKnown = clock.now() - (storedMs.get(dedupeKey) ?? -Infinity) < 1000
          if (!isKnown) storedMs.set(dedupeKey, clock.now())
          return isKnown ? event : withoutKey(event)
        }),
      )
    },
  },
  {
    name: 'a repetition prolongs the time',
    breaks: ['a dedupeKey is remembered'],
    wrap: (log, { clock }) => {
      const seen = new Map<string, { position: Position; atMs: number }>()
      return withMethods(log, {
        append: async (events, options) => {
          const appended = await log.append(events, options)
          return appended.map((position, i) => {
            const { dedupeKey } = events[i] ?? {}
            if (dedupeKey === undefined) return position
            const before = seen.get(dedupeKey)
            const isKnown = before && clock.now() - before.atMs <= 1000
            seen.set(dedupeKey, { position: isKnown ? before.position : position, atMs: clock.now() })
            return isKnown ? before.position : position
          })
        },
      })
    },
  },
  {
    name: 'keys age by the wall clock',
    breaks: ['dedupe keys do not follow'],
    wrap: (log, { clock }) => {
      let lastMs = clock.time()
      return withEvents(log, (events) => {
        const hasStepped = Math.abs(clock.time() - lastMs) > 60_000
        lastMs = clock.time()
        return hasStepped ? events.map(withoutKey) : events
      })
    },
  },
  {
    name: 'keys are forgotten with their events',
    breaks: ['dedupe keys outlive', 'random appends, reads'],
    wrap: (log) => {
      const known = new Map<string, Position>()
      return withMethods(log, {
        append: async (events, options) => {
          const { oldest } = await log.bounds()
          const isEvicted = (key: string | undefined): boolean => (known.get(key ?? '')?.seq ?? Infinity) <= oldest.seq
          const given = events.map((event) => (isEvicted(event.dedupeKey) ? withoutKey(event) : event))
          const appended = await log.append(given, options)
          for (const [i, position] of appended.entries()) known.set(events[i]?.dedupeKey ?? '', position)
          return appended
        },
      })
    },
  },
  {
    name: 'the bound of keys is not kept to',
    breaks: ['beyond maxDedupeKeys'],
    options: (given) => {
      const { maxDedupeKeys: _, ...rest } = given
      return rest
    },
  },
  {
    name: 'beyond the bound of keys an append is refused as unavailable',
    breaks: ['beyond maxDedupeKeys', 'beyond maxStateKeys'],
    wrap: (log) =>
      withMethods(log, {
        append: async (events, options) => {
          try {
            return await log.append(events, options)
          } catch (error) {
            throw error instanceof LogError && error.code === 'full' ? new LogError('unavailable', 'no room') : error
          }
        },
      }),
  },
  {
    name: 'of a list beyond the bound of keys the events before are stored',
    breaks: ['beyond maxDedupeKeys', 'beyond maxStateKeys'],
    wrap: (log) =>
      withMethods(log, {
        append: async (events, options) => {
          try {
            return await log.append(events, options)
          } catch (error) {
            if (error instanceof LogError && error.code === 'full') await log.append(events.slice(0, 1), options)
            throw error
          }
        },
      }),
  },
  {
    name: 'the keys of a list that was refused are remembered',
    breaks: ['a list that was refused leaves none'],
    wrap: (log) => {
      const spoilt = new Map<string, Position>()
      return withMethods(log, {
        append: async (events, options) => {
          const known = events.map(({ dedupeKey }) => spoilt.get(dedupeKey ?? ''))
          if (known.every((position) => position !== undefined)) return known
          try {
            return await log.append(events, options)
          } catch (error) {
            const { head } = await log.bounds()
            for (const { dedupeKey } of events) if (dedupeKey !== undefined) spoilt.set(dedupeKey, head)
            throw error
          }
        },
      })
    },
  },
  {
    name: 'positions of an earlier epoch are given out',
    breaks: ['in a new epoch a repetition'],
    wrap: (log) => {
      const known = new Map<string, Position>()
      return withMethods(log, {
        append: async (events, options) => {
          const appended = await log.append(events, options)
          return appended.map((position, i) => {
            const key = events[i]?.dedupeKey ?? ''
            if (key !== '' && !known.has(key)) known.set(key, position)
            return known.get(key) ?? position
          })
        },
      })
    },
  },
]

function withoutKey(event: NewEvent): NewEvent {
  const { dedupeKey: _, ...rest } = event
  return rest
}

function withEvents(log: EventLog, change: (events: readonly NewEvent[]) => readonly NewEvent[]): EventLog {
  return withMethods(log, { append: (events, options) => log.append(change(events), options) })
}

function withKeys(log: EventLog, keyOf: (event: NewEvent) => string): EventLog {
  return withEvents(log, (events) =>
    events.map((event) => (event.dedupeKey === undefined ? event : { ...event, dedupeKey: keyOf(event) })),
  )
}
