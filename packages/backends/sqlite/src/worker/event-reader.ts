import { isPattern, type Position, type Selector, type Topic } from '@millrace/protocol'
import { selectorTest } from '@millrace/server/log-parts'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { EventColumns } from '../messages.ts'
import { EVENT_COLUMNS, EventPage, type EventRow } from './event-page.ts'
import type { LogState } from './log-state.ts'
import type { TopicRecord } from './topic-record.ts'
import type { TopicTable } from './topic-table.ts'

/** One read looks at no more events than this, and returns no more bytes, so that it never holds up the others for long. */
const MAX_SCAN_COUNT = 10_000
const MAX_PAGE_BYTES = 4 * 1024 * 1024
/** Rows that are fetched at once: at least, and at most. */
const MIN_CHUNK = 16
const MAX_CHUNK = 1024
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
  readonly #selectPrevious: StatementSync
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
    this.#selectPrevious = database.prepare('SELECT previous_seq FROM event WHERE seq = ?')
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
    if (selectors === 'all') return this.#findAll(range, this.#select)
    const seqs = selectors.some(isPattern) ? undefined : this.#chainedSeqs(selectors, range)
    return seqs ? this.#fetchUpTo(seqs, range) : this.#findByScan(selectorTest(selectors), range)
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
    return this.#findAll(range, this.#topics.hasStateRules ? this.#selectBoth : this.#select)
  }

  #lastEvent({ id, lastSeq, count, isState }: TopicRecord): EventRow {
    const statement = isState ? this.#selectValue : this.#selectOne
    const row = isState || count > 0 ? statement.get(lastSeq) : this.#selectLast.get(id)
    if (!row) throw new Error(`the last event of topic ${id} is not in the file`)
    return row as unknown as EventRow
  }

  #findAll({ after, to, maxCount, maxBytes }: Range, select: StatementSync): FoundEvents {
    const page = new EventPage(this.#topics)
    const limitBytes = Math.min(maxBytes, MAX_PAGE_BYTES)
    const limitCount = Math.min(maxCount, MAX_SCAN_COUNT)
    let chunk = MIN_CHUNK
    let seq = after.seq
    for (;;) {
      const wanted = Math.min(chunk, limitCount - page.count)
      const rows = select.all(seq, to.seq, wanted) as unknown as EventRow[]
      for (const row of rows) {
        if (!page.hasRoomFor(row, limitBytes)) return this.#found(page, after)
        page.add(row)
        seq = row.seq
      }
      if (rows.length < wanted) return { events: page.columns, scannedTo: to }
      if (page.count >= limitCount) return this.#found(page, after)
      // As many as probably fit: large events are not fetched in vain.
      const fittingCount = Math.ceil(((limitBytes - page.bytes) * page.count) / Math.max(1, page.bytes))
      chunk = Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, fittingCount))
    }
  }

  /** Walks through the topics of all events, and fetches those that match. */
  #findByScan(matches: (topic: Topic) => boolean, range: Range): FoundEvents {
    const verdicts = new Map<number, boolean>()
    const seqs: number[] = []
    let seq = range.after.seq
    let scanCount = 0
    while (scanCount < MAX_SCAN_COUNT) {
      const rows = this.#selectTopics.all(seq, range.to.seq, MAX_CHUNK)
      for (const row of rows) {
        const topic = Number(row['topic'])
        let isMatch = verdicts.get(topic)
        if (isMatch === undefined) {
          isMatch = matches(this.#topics.nameOf(topic))
          verdicts.set(topic, isMatch)
        }
        seq = Number(row['seq'])
        if (!isMatch) continue
        seqs.push(seq)
        if (seqs.length >= range.maxCount) return this.#fetch(seqs, range, this.positionAt(seq) ?? range.to)
      }
      if (rows.length < MAX_CHUNK) return this.#fetch(seqs, range, range.to)
      scanCount += rows.length
    }
    return this.#fetch(seqs, range, this.positionAt(seq) ?? range.to)
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
    for (const { lastSeq } of topics) {
      for (let seq = lastSeq; seq > after.seq;) {
        // They may be denser here than elsewhere.
        if (seqs.length > 2 * MAX_CHAIN_COUNT) return undefined
        const row = this.#selectPrevious.get(seq)
        // The rest of the chain is evicted.
        if (!row) break
        if (seq <= to.seq) seqs.push(seq)
        seq = Number(row['previous_seq'])
      }
    }
    return seqs.sort((one, other) => one - other)
  }

  /** The first of all events that match. */
  #fetchUpTo(seqs: readonly number[], range: Range): FoundEvents {
    const wanted = seqs.slice(0, range.maxCount)
    const last = wanted.length < seqs.length ? wanted.at(-1) : undefined
    return this.#fetch(wanted, range, last === undefined ? range.to : (this.positionAt(last) ?? range.to))
  }

  /** Events by their seqs, as many as fit; `scannedTo` holds when all of them do. */
  #fetch(seqs: readonly number[], { after, maxBytes }: Range, scannedTo: Position): FoundEvents {
    const page = new EventPage(this.#topics)
    const limitBytes = Math.min(maxBytes, MAX_PAGE_BYTES)
    for (const seq of seqs) {
      const row = this.#selectOne.get(seq) as unknown as EventRow
      if (!page.hasRoomFor(row, limitBytes)) return this.#found(page, after)
      page.add(row)
    }
    return { events: page.columns, scannedTo }
  }

  /** A page that ends with its last event. */
  #found({ columns }: EventPage, after: Position): FoundEvents {
    const seq = columns.seqs.at(-1)
    return {
      events: columns,
      scannedTo: seq === undefined ? after : this.#state.position(seq, columns.checks.slice(-3)),
    }
  }
}
