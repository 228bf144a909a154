import { isPattern, type Position, type Selector } from '@millrace/protocol'
import { selectorTest } from '@millrace/server/log-parts'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { EventColumns } from '../messages.ts'
import { EVENT_COLUMNS, EventPage, type EventRow } from './event-page.ts'
import type { LogState } from './log-state.ts'
import { TopicChains } from './topic-chains.ts'
import type { TopicRecord } from './topic-record.ts'
import type { TopicTable } from './topic-table.ts'

/** One read looks at no more events than this, and returns no more bytes, so that it never holds up the others for long. */
const MAX_SCAN_COUNT = 10_000
const MAX_PAGE_BYTES = 4 * 1024 * 1024
/** Rows that are fetched at once: at least, and at most. */
const MIN_CHUNK = 16
const MAX_CHUNK = 1024
/** From this part of the events on that are wanted, whole rows are fetched; a smaller part than the other is not believed. */
const DENSE_PART = 0.25
const MIN_PART = 1 / 64
/** Events of a few topics are looked up one by one up to this many; beyond, a walk through all events is better. */
const MAX_CHAIN_COUNT = 2048

/** What to look for: after one place, up to another. */
export interface Range {
  readonly after: Position
  readonly to: Position
  readonly maxCount: number
  readonly maxBytes: number
}

export interface FoundEvents {
  readonly events: EventColumns
  readonly scannedTo: Position
}

/** Finds events in the file. Every statement ends before the call does. */
export class EventReader {
  readonly #state: LogState
  readonly #topics: TopicTable
  readonly #select: StatementSync
  readonly #selectBoth: StatementSync
  readonly #selectTopics: StatementSync
  readonly #chains: TopicChains
  readonly #selectOne: StatementSync
  readonly #selectLast: StatementSync
  readonly #selectOldest: StatementSync
  readonly #selectCheck: StatementSync
  readonly #selectValue: StatementSync
  readonly #selectSuperseded: StatementSync

  constructor(database: DatabaseSync, state: LogState, topics: TopicTable) {
    this.#state = state
    this.#topics = topics
    this.#select = database.prepare(
      `SELECT ${EVENT_COLUMNS} FROM event WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`,
    )
    this.#selectBoth = database.prepare(
      ['event', 'state_value', 'superseded']
        .map((table) => `SELECT ${EVENT_COLUMNS} FROM ${table} WHERE seq > ?1 AND seq <= ?2`)
        .join(' UNION ALL ') + ' ORDER BY seq LIMIT ?3',
    )
    this.#selectTopics = database.prepare(
      'SELECT seq, topic FROM event WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?',
    )
    this.#chains = new TopicChains(database)
    this.#selectOne = database.prepare(`SELECT ${EVENT_COLUMNS} FROM event WHERE seq = ?`)
    this.#selectLast = database.prepare(
      `SELECT seq, topic, check_own, time_ms, octet_length(data) AS size_bytes, type, is_json, data, value_key,
         except_client, is_end
       FROM last_event WHERE topic = ?`,
    )
    this.#selectOldest = database.prepare('SELECT seq, check_before FROM event ORDER BY seq LIMIT 1')
    this.#selectCheck = database.prepare('SELECT check_own FROM event WHERE seq = ?')
    this.#selectValue = database.prepare(`SELECT ${EVENT_COLUMNS} FROM state_value WHERE seq = ?`)
    this.#selectSuperseded = database.prepare('SELECT check_own FROM superseded WHERE seq = ?')
  }

  /** The position just before the oldest event kept of a log topic; the head when none is. */
  oldest(): Position {
    const row = this.#selectOldest.get()
    return row ? this.#state.position(Number(row['seq']) - 1, String(row['check_before'])) : this.#state.head
  }

  /** The position with this `seq`, if the event is kept. */
  positionAt(seq: number): Position | undefined {
    const row = this.#selectCheck.get(seq) ?? this.#selectValue.get(seq) ?? this.#selectSuperseded.get(seq)
    return row && this.#state.position(seq, String(row['check_own']))
  }

  find(selectors: readonly Selector[] | 'all', range: Range): FoundEvents {
    if (selectors === 'all') return this.#walk(() => true, range, this.#select, 1)
    const seqs = selectors.some(isPattern) ? undefined : this.#chainedSeqs(selectors, range)
    return seqs ? this.#fetchUpTo(seqs, range) : this.#walk(this.#verdicts(selectors), range, this.#select, DENSE_PART)
  }

  /** The last events of topics, in the order of the topics; a page ends where a limit is reached. */
  lastEvents(records: readonly TopicRecord[], maxCount: number, maxBytes: number): EventPage {
    const page = new EventPage(this.#topics)
    for (const record of records.slice(0, maxCount)) {
      const row = this.#lastEvent(record)
      if (!page.hasRoomFor(row, maxBytes)) break
      page.add(row)
    }
    return page
  }

  /** What is kept of all topics of either kind: for tails. */
  scan(range: Range): FoundEvents {
    return this.#walk(() => true, range, this.#topics.hasStateRules ? this.#selectBoth : this.#select, 1)
  }

  #lastEvent({ id, lastSeq, count, isState }: TopicRecord): EventRow {
    const statement = isState ? this.#selectValue : this.#selectOne
    const row = isState || count > 0 ? statement.get(lastSeq) : this.#selectLast.get(id)
    if (!row) throw new Error(`the last event of topic ${id} is not in the file`)
    return row as unknown as EventRow
  }

  /**
   * Walks through events, and takes those of some topics. Where most are wanted whole rows are fetched; where few are,
   * their topics first.
   */
  #walk(isWanted: (topic: number) => boolean, range: Range, select: StatementSync, firstPart: number): FoundEvents {
    const { after, to, maxCount } = range
    const limitBytes = Math.min(range.maxBytes, MAX_PAGE_BYTES)
    const page = new EventPage(this.#topics)
    let seq = after.seq
    let wantedPart = firstPart
    for (let scanCount = 0; scanCount < MAX_SCAN_COUNT;) {
      const isDense = wantedPart >= DENSE_PART
      const chunk = chunkFor(page, maxCount, limitBytes, wantedPart)
      const rows = (isDense ? select : this.#selectTopics).all(seq, to.seq, chunk) as unknown as EventRow[]
      const countBefore = page.count
      for (const row of rows) {
        if (isWanted(row.topic)) {
          const whole = isDense ? row : (this.#selectOne.get(row.seq) as unknown as EventRow)
          if (page.count === maxCount || !page.hasRoomFor(whole, limitBytes)) return this.#found(page, seq, range)
          page.add(whole)
        }
        seq = row.seq
      }
      if (rows.length < chunk) return { events: page.columns, scannedTo: to }
      if (page.count === maxCount) break
      scanCount += rows.length
      wantedPart = Math.max(MIN_PART, (page.count - countBefore) / rows.length)
    }
    return this.#found(page, seq, range)
  }

  /** Whether a topic, by its id, matches: asked once for each. */
  #verdicts(selectors: readonly Selector[]): (id: number) => boolean {
    const matches = selectorTest(selectors)
    const verdicts = new Map<number, boolean>()
    return (id) => {
      let verdict = verdicts.get(id)
      if (verdict === undefined) {
        verdict = matches(this.#topics.nameOf(id))
        verdicts.set(id, verdict)
      }
      return verdict
    }
  }

  /** Where the events of some topics are; undefined when there are so many that a walk through all events is better. */
  #chainedSeqs(selectors: readonly Selector[], { after, to }: Range): number[] | undefined {
    const topics = [...new Set<string>(selectors)].flatMap(
      (name) => this.#topics.byName(name) ?? this.#topics.forgottenByName(name) ?? [],
    )
    let count = 0
    for (const topic of topics) count += topic.count
    const wantedPart = (to.seq - after.seq) / Math.max(1, this.#state.head.seq - this.oldest().seq)
    if (count * Math.min(1, wantedPart) > MAX_CHAIN_COUNT) return undefined
    const seqs: number[] = []
    for (const topic of topics) {
      // They may be denser here than elsewhere.
      const found = this.#chains.seqsAfter(topic, after.seq, 2 * MAX_CHAIN_COUNT - seqs.length)
      if (!found) return undefined
      seqs.push(...found)
    }
    return topics.length > 1 ? seqs.sort((one, other) => one - other) : seqs
  }

  /** The first of all events that match. */
  #fetchUpTo(seqs: readonly number[], range: Range): FoundEvents {
    const wanted = seqs.slice(0, range.maxCount)
    const last = wanted.length < seqs.length ? wanted.at(-1) : undefined
    return this.#fetch(wanted, range, last === undefined ? range.to : (this.positionAt(last) ?? range.to))
  }

  /** Events by their seqs, as many as fit; `scannedTo` holds when all of them do. */
  #fetch(seqs: readonly number[], range: Range, scannedTo: Position): FoundEvents {
    const page = new EventPage(this.#topics)
    const limitBytes = Math.min(range.maxBytes, MAX_PAGE_BYTES)
    for (const seq of seqs) {
      const row = this.#selectOne.get(seq) as unknown as EventRow
      if (!page.hasRoomFor(row, limitBytes)) return this.#found(page, page.columns.seqs.at(-1) ?? 0, range)
      page.add(row)
    }
    return { events: page.columns, scannedTo }
  }

  /** A page for which everything up to `seq` was looked at. */
  #found({ columns }: EventPage, seq: number, { after, to }: Range): FoundEvents {
    const scannedTo = seq > after.seq ? (this.positionAt(seq) ?? to) : after
    return { events: columns, scannedTo }
  }
}

/** How many rows to fetch: as many as probably fit, so that large events are not fetched in vain. */
function chunkFor(page: EventPage, maxCount: number, limitBytes: number, wantedPart: number): number {
  const roomCount = maxCount - page.count
  const fitting =
    page.count === 0 ? MIN_CHUNK : Math.ceil(((limitBytes - page.bytes) * page.count) / Math.max(1, page.bytes))
  return Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, Math.ceil(Math.min(fitting, roomCount) / wantedPart)))
}
