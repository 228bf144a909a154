import { problem, type NodeHub } from '@millrace/node'
import {
  compileSelectors,
  formatEventId,
  parseSelector,
  ProtocolError,
  type Selector,
  type Topic,
} from '@millrace/protocol'
import { LogError, type Backend, type EventLog, type SnapshotCursor, type StoredEvent } from '@millrace/server'
import type { TopicCounts } from '../observe/topic-counts.ts'
import { RequestFault, RETRY_AFTER } from './problem-answers.ts'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000
/** Topics of the log that one request looks at, at most. */
const PAGE_COUNT = 1_000

/** What `GET /admin/topics` says of one topic. */
interface TopicReport {
  readonly topic: string
  readonly kind: 'log' | 'state'
  /** The keys of a state topic that have a value. */
  readonly keys?: number
  /** The id of its newest event, and when that was published. */
  readonly position: string
  readonly lastAt: string
  readonly state: 'open' | 'finished'
  /** Why it is finished: a publisher has said `end`. */
  readonly reason: 'end' | null
  /** Streams that get its events, and how many events of the log the one that is furthest behind still has before it. */
  readonly subscribers: number
  readonly lag: number
  /** Since the hub started; 0 for a topic that nobody has published to since. */
  readonly events: number
  readonly bytes: number
  readonly uptimeMs: number | null
}

export interface TopicReports {
  readonly topics: readonly TopicReport[]
  /** Whether there are more than were asked for. */
  readonly more: boolean
  /** Whether the log had to forget topics. */
  readonly partial: boolean
}

/** The topics that the log knows, those that were published to last first. */
export async function reportTopics(
  hub: NodeHub,
  { log, topics: rules }: Pick<Backend, 'log' | 'topics'>,
  counts: TopicCounts,
  query: Readonly<Record<string, unknown>>,
): Promise<TopicReports> {
  const limit = readLimit(query['limit'])
  const selectors = readMatch(query['match'])
  const hasState = rules.some(({ kind }) => kind === 'state')
  const [known, values] = await Promise.all([
    lastEvents(log, selectors, 'log'),
    hasState ? lastEvents(log, selectors, 'state') : { events: [], partial: false },
  ]).catch((error: unknown) => {
    throw logFault(error)
  })
  const newest = [
    ...known.events.map((event) => ({ event, kind: { kind: 'log' as const } })),
    ...newestByTopic(values.events).map(({ event, keys }) => ({ event, kind: { kind: 'state' as const, keys } })),
  ].sort((one, other) => other.event.position.seq - one.event.position.seq)
  const audienceOf = audiences(hub)
  const nowMs = Date.now()
  const topics = newest.slice(0, limit).map(({ event, kind }): TopicReport => {
    const count = counts.of(event.topic)
    return {
      topic: event.topic,
      ...kind,
      position: formatEventId(event.position),
      lastAt: new Date(event.timeMs).toISOString(),
      state: event.end ? 'finished' : 'open',
      reason: event.end ? 'end' : null,
      ...audienceOf(event.topic),
      events: count?.events ?? 0,
      bytes: count?.bytes ?? 0,
      uptimeMs: count ? nowMs - count.firstAtMs : null,
    }
  })
  return { topics, more: newest.length > limit, partial: known.partial || values.partial }
}

async function lastEvents(
  log: EventLog,
  selectors: readonly Selector[] | 'all',
  of: 'log' | 'state',
): Promise<{ readonly events: readonly StoredEvent[]; readonly partial: boolean }> {
  const events: StoredEvent[] = []
  for (let cursor: SnapshotCursor | undefined; ;) {
    const page = await log.snapshot(selectors, { of, maxCount: PAGE_COUNT, ...(cursor ? { cursor } : {}) })
    events.push(...page.events)
    cursor = page.next
    if (!cursor) return { events, partial: page.partial }
  }
}

/** Who administers a hub is told what ails its log. */
function logFault(error: unknown): unknown {
  if (!(error instanceof LogError) || error.code === 'invalid') return error
  return new RequestFault(problem(503, `The event log cannot be read. ${error.message}`, RETRY_AFTER))
}

function newestByTopic(values: readonly StoredEvent[]): { readonly event: StoredEvent; readonly keys: number }[] {
  const byTopic = new Map<string, { event: StoredEvent; keys: number }>()
  for (const event of values) byTopic.set(event.topic, { event, keys: (byTopic.get(event.topic)?.keys ?? 0) + 1 })
  return [...byTopic.values()]
}

interface AudienceReport {
  readonly subscribers: number
  readonly lag: number
}

/** Streams with equal selectors are looked at once. */
function audiences(hub: NodeHub): (topic: Topic) => AudienceReport {
  const bySelectors = new Map<string, { subscribers: number; lag: number; readonly has: (topic: Topic) => boolean }>()
  for (const { request, lag } of hub.subscribers()) {
    const key = request.selectors.join(',')
    const {
      subscribers,
      lag: most,
      has,
    } = bySelectors.get(key) ?? {
      subscribers: 0,
      lag: 0,
      has: compileSelectors(request.selectors),
    }
    bySelectors.set(key, { subscribers: subscribers + 1, lag: Math.max(most, lag), has })
  }
  return (topic) => {
    let subscribers = 0
    let lag = 0
    for (const audience of bySelectors.values()) {
      if (!audience.has(topic)) continue
      subscribers += audience.subscribers
      lag = Math.max(lag, audience.lag)
    }
    return { subscribers, lag }
  }
}

function readLimit(text: unknown): number {
  if (text === undefined) return DEFAULT_LIMIT
  const limit = typeof text === 'string' && /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= MAX_LIMIT) return limit
  throw new RequestFault(problem(400, `limit is ${shown(text)}; it must be a number from 1 to ${MAX_LIMIT}.`))
}

function readMatch(text: unknown): readonly Selector[] | 'all' {
  if (text === undefined) return 'all'
  if (typeof text !== 'string') throw new RequestFault(problem(400, 'match may be given once.'))
  try {
    return [parseSelector(text)]
  } catch (error) {
    if (error instanceof ProtocolError) throw new RequestFault(problem(400, `match: ${error.message}`))
    throw error
  }
}

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 64)
}
