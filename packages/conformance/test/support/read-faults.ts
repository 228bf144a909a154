import { parseSelector, type Position } from '@millrace/protocol'
import type { EventLog, Gap, Page, ReadQuery } from '@millrace/server'
import { NO_LIMIT, readAnyway, withGaps, withPages } from './fault-tools.ts'
import { withMethods, type LogFault } from './log-setup.ts'

const ALL_BUT_USERS = parseSelector('>')

export const readFaults: readonly LogFault[] = [
  {
    name: 'a read repeats the event that it goes on after',
    breaks: [
      'a read after any position returns exactly',
      'scannedTo is a position',
      'reads among pending appends',
      'random appends, reads',
    ],
    wrap: (log) =>
      withMethods(log, {
        read: async (query) => {
          const result = await log.read(query)
          if (result.kind === 'gap') return result
          const afterSeq = query.after === 'oldest' ? 1 : query.after.seq
          const { events } = await readAnyway(log, query, 0)
          return {
            ...result,
            events: [...events.filter(({ position }) => position.seq === afterSeq), ...result.events],
          }
        },
      }),
  },
  {
    name: 'a read leaves out the event after its position',
    breaks: ['a read after any position returns exactly', 'a read from the oldest of a log that evicted nothing'],
    wrap: (log) => withPages(log, (page) => ({ ...page, events: page.events.slice(1) })),
  },
  {
    name: 'two events are swapped',
    breaks: ['a read after any position returns exactly', 'a read from the oldest of a log', 'random appends, reads'],
    wrap: (log) =>
      withPages(log, (page) => {
        const [first, second, ...rest] = page.events
        return first && second ? { ...page, events: [second, first, ...rest] } : page
      }),
  },
  {
    name: "a wildcard reaches users' own topics",
    breaks: ['a read returns the events that match any selector'],
    wrap: (log) =>
      withQueries(log, (query) => ({
        ...query,
        selectors: query.selectors.includes(ALL_BUT_USERS) ? 'all' : query.selectors,
      })),
  },
  {
    name: "all topics are all but users' own",
    breaks: ["the selectors 'all' stand for every topic"],
    wrap: (log) =>
      withQueries(log, (query) => ({
        ...query,
        selectors: query.selectors === 'all' ? [ALL_BUT_USERS] : query.selectors,
      })),
  },
  {
    name: 'an event is returned once for each selector',
    breaks: ['a read returns the events that match any selector'],
    wrap: (log) =>
      withPages(log, (page, { selectors }) => ({
        ...page,
        events: selectors.length > 3 ? page.events.flatMap((event) => [event, event]) : page.events,
      })),
  },
  {
    name: 'maxCount is one too many',
    breaks: ['a page has at most maxCount events'],
    wrap: (log) => withQueries(log, (query) => ({ ...query, maxCount: query.maxCount + 1 })),
  },
  {
    name: 'maxBytes is ignored',
    breaks: ['a page has at most maxBytes of data'],
    wrap: (log) => withQueries(log, (query) => ({ ...query, maxBytes: NO_LIMIT.maxBytes })),
  },
  {
    name: 'an event larger than maxBytes is never returned',
    breaks: ['a page has at most maxBytes of data'],
    wrap: (log) =>
      withPages(log, (page, { after, maxBytes }) => {
        const isTooLarge = page.events.length === 1 && (page.events[0]?.data.length ?? 0) > maxBytes
        return isTooLarge && after !== 'oldest' ? { ...page, events: [], scannedTo: after } : page
      }),
  },
  {
    name: 'scannedTo is the head, whatever was left out',
    breaks: ['a page has at most maxCount events', 'scannedTo is a position', 'a page has at most maxBytes of data'],
    wrap: (log) => withPages(log, (page) => ({ ...page, scannedTo: page.head })),
  },
  {
    name: 'scannedTo stays behind when nothing matches',
    breaks: ['a read of which nothing is left', 'a rare topic is found'],
    wrap: (log) =>
      withPages(log, (page, { after }) =>
        page.events.length === 0 && after !== 'oldest'
          ? { ...page, scannedTo: after, head: { ...page.head, seq: page.head.seq + 1 } }
          : page,
      ),
  },
  {
    name: 'an empty log has a head of its own in pages',
    breaks: ['an empty log is read as an empty page'],
    wrap: (log) =>
      withPages(log, (page) => (page.head.seq > 0 ? page : { ...page, scannedTo: { ...page.head, check: 'aaa' } })),
  },
  {
    name: 'a list is shared by all who ask',
    breaks: ['the lists of a page belong to the caller'],
    wrap: (log) => {
      const lists = new Map<number, Page['events']>()
      return withPages(log, (page) => {
        const events = lists.get(0) ?? page.events
        lists.set(0, events)
        return { ...page, events }
      })
    },
  },
  {
    name: 'a query that makes no sense is mended',
    breaks: ['a query that makes no sense'],
    wrap: (log) => withQueries(log, (query) => ({ ...query, maxCount: Math.max(1, Math.ceil(query.maxCount || 1)) })),
  },
  {
    name: 'another epoch is read on from all the same',
    breaks: ['a position of another epoch gives', 'a new epoch is told to the tail'],
    wrap: (log) =>
      withGaps(log, async (gap, query) => {
        const isOther = query.after !== 'oldest' && query.after.epoch !== gap.head.epoch
        return isOther ? readAnyway(log, query, query.after.seq) : gap
      }),
  },
  {
    name: 'a position beyond the head is taken for the head',
    breaks: ['a position beyond the head gives ahead'],
    wrap: (log) =>
      withGaps(log, async (gap, query) => (gap.reason === 'ahead' ? log.read({ ...query, after: gap.head }) : gap)),
  },
  {
    name: 'checks are not compared',
    breaks: ['a kept entry with another check', 'the head and the oldest position are judged'],
    wrap: (log) =>
      withGaps(log, async (gap, query) => {
        const isSame =
          query.after !== 'oldest' && query.after.epoch === gap.head.epoch && gap.reason === 'epoch_changed'
        return isSame ? readAnyway(log, query, query.after.seq) : gap
      }),
  },
  {
    name: 'the head is judged before the epoch',
    breaks: ['the epoch is judged before the head'],
    wrap: (log) =>
      withGaps(log, async (gap, { after }) =>
        after !== 'oldest' && after.seq > gap.head.seq ? { ...gap, reason: 'ahead' } : gap,
      ),
  },
  {
    name: 'what was evicted is judged before the check',
    breaks: ['the check is judged before'],
    wrap: (log) =>
      withGaps(log, async (gap) => {
        const { oldest } = await log.bounds()
        return gap.oldest.seq > oldest.seq ? { ...gap, reason: 'too_old' } : gap
      }),
  },
  {
    name: 'a gap tells the oldest event of whatever topic',
    breaks: ['a gap tells the head, and an oldest position', 'random appends, reads'],
    wrap: (log) => withGaps(log, async (gap) => ({ ...gap, oldest: (await log.bounds()).oldest })),
  },
  {
    name: 'too_old is never told',
    breaks: [
      'too_old is told for an evicted event',
      'a log that forgot topics tells too_old',
      'a log that forgets topics at random steps',
      'random appends, reads',
      'an event is kept until it is older',
    ],
    wrap: (log) =>
      withGaps(log, async (gap, query) =>
        gap.reason === 'too_old' ? readAnyway(log, query, positionOf(query).seq) : gap,
      ),
  },
  {
    name: 'too_old is told whenever anything was evicted',
    breaks: ['too_old is not told when nothing that matches', 'what one rule evicts leaves', 'random appends, reads'],
    wrap: (log) =>
      withMethods(log, {
        read: async (query): Promise<Page | Gap> => {
          const { oldest, head } = await log.bounds()
          const whole = await log.read({ ...query, selectors: 'all' })
          return whole.kind === 'gap' && whole.reason === 'too_old'
            ? { kind: 'gap', reason: 'too_old', oldest, head }
            : log.read(query)
        },
      }),
  },
  {
    name: 'a read from the oldest gives a gap when something was evicted',
    breaks: ['a read from the oldest never gives a gap'],
    wrap: (log) =>
      withMethods(log, {
        read: async (query) =>
          query.after === 'oldest' ? log.read({ ...query, after: (await log.bounds()).oldest }) : log.read(query),
      }),
  },
]

function withQueries(log: EventLog, change: (query: ReadQuery) => ReadQuery): EventLog {
  return withMethods(log, { read: (query) => log.read(change(query)) })
}

function positionOf({ after }: ReadQuery): Position {
  if (after === 'oldest') throw new Error('A read from the oldest gave a gap.')
  return after
}
