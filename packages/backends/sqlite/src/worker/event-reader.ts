import { compileSelectors, isPattern, type Position, type Selector, type Topic } from '@millrace/protocol'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { EventColumns } from '../messages.ts'
import type { LogState } from './log-state.ts'
import type { TopicTable } from './topic-table.ts'

/** One read looks at no more events than this, and returns no more bytes, so that it never holds up the others for long. */
const MAX_SCAN_COUNT = 10_000
const MAX_PAGE_BYTES = 4 * 1024 * 1024
/** Rows that are fetched at once: at least, and at most. */
const MIN_CHUNK = 16
const MAX_CHUNK = 1024
/** Events of a few topics are looked up one by one up to this many; beyond, a walk through all events is better. */
const MAX_CHAIN_COUNT = 2048

const COLUMNS = 'seq, topic, check_own, time_ms, size_bytes, type, is_json, data'

interface EventRow {
  readonly seq: number
  readonly topic: number
  readonly check_own: string
  readonly time_ms: number
  readonly size_bytes: number
  readonly type: string | null
  readonly is_json: number
  readonly data: string
}

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
  readonly #selectTopics: StatementSync
  readonly #selectPrevious: StatementSync
  readonly #selectOne: StatementSync
  readonly #selectLast: StatementSync
  readonly #selectOldest: StatementSync
  readonly #selectCheck: StatementSync

  constructor(database: DatabaseSync, state: LogState, topics: TopicTable) {
    this.#state = state
    this.#topics = topics
    this.#select = database.prepare(`SELECT ${COLUMNS} FROM event WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`)
    this.#selectTopics = database.prepare(
      'SELECT seq, topic FROM event WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?',
    )
    this.#selectPrevious = database.prepare('SELECT previous_seq FROM event WHERE seq = ?')
    this.#selectOne = database.prepare(`SELECT ${COLUMNS} FROM event WHERE seq = ?`)
    this.#selectLast = database.prepare(
      'SELECT seq, topic, check_own, time_ms, 0 AS size_bytes, type, is_json, data FROM last_event WHERE topic = ?',
    )
    this.#selectOldest = database.prepare('SELECT seq, check_before FROM event ORDER BY seq LIMIT 1')
    this.#selectCheck = database.prepare('SELECT check_own FROM event WHERE seq = ?')
  }

  /** The position just before the oldest event kept; the head when none is. */
  oldest(): Position {
    const row = this.#selectOldest.get()
    return row ? this.#state.position(Number(row['seq']) - 1, String(row['check_before'])) : this.#state.head
  }

  /** The position with this `seq`, if the event is kept. */
  positionAt(seq: number): Position | undefined {
    const row = this.#selectCheck.get(seq)
    return row && this.#state.position(seq, String(row['check_own']))
  }

  find(selectors: readonly Selector[] | 'all', range: Range): FoundEvents {
    if (selectors === 'all') return this.#findAll(range)
    const seqs = selectors.some(isPattern) ? undefined : this.#chainedSeqs(selectors, range)
    return seqs ? this.#fetchUpTo(seqs, range) : this.#findByScan(compileSelectors(selectors), range)
  }

  /** The last event of each known topic that matches, oldest first. */
  lastEvents(selectors: readonly Selector[] | 'all'): EventColumns {
    const page = new Page(this.#topics)
    for (const { id, lastSeq, count } of this.#topics.matching(selectors)) {
      page.add((count > 0 ? this.#selectOne.get(lastSeq) : this.#selectLast.get(id)) as unknown as EventRow)
    }
    return page.columns
  }

  #findAll({ after, to, maxCount, maxBytes }: Range): FoundEvents {
    const page = new Page(this.#topics)
    const limitBytes = Math.min(maxBytes, MAX_PAGE_BYTES)
    const limitCount = Math.min(maxCount, MAX_SCAN_COUNT)
    let chunk = MIN_CHUNK
    let seq = after.seq
    for (;;) {
      const wanted = Math.min(chunk, limitCount - page.count)
      const rows = this.#select.all(seq, to.seq, wanted) as unknown as EventRow[]
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
    const page = new Page(this.#topics)
    const limitBytes = Math.min(maxBytes, MAX_PAGE_BYTES)
    for (const seq of seqs) {
      const row = this.#selectOne.get(seq) as unknown as EventRow
      if (!page.hasRoomFor(row, limitBytes)) return this.#found(page, after)
      page.add(row)
    }
    return { events: page.columns, scannedTo }
  }

  /** A page that ends with its last event. */
  #found({ columns }: Page, after: Position): FoundEvents {
    const seq = columns.seqs.at(-1)
    return {
      events: columns,
      scannedTo: seq === undefined ? after : this.#state.position(seq, columns.checks.slice(-3)),
    }
  }
}

/** Events on their way to the other thread. */
class Page {
  readonly #topics: TopicTable
  readonly columns: { checks: string } & Omit<EventColumns, 'checks'> = {
    seqs: [],
    timesMs: [],
    topics: [],
    types: [],
    json: [],
    data: [],
    checks: '',
  }
  bytes = 0

  constructor(topics: TopicTable) {
    this.#topics = topics
  }

  get count(): number {
    return this.columns.seqs.length
  }

  hasRoomFor({ size_bytes }: EventRow, limitBytes: number): boolean {
    return this.count === 0 || this.bytes + size_bytes <= limitBytes
  }

  add(row: EventRow): void {
    const { columns } = this
    columns.seqs.push(row.seq)
    columns.timesMs.push(row.time_ms)
    columns.topics.push(this.#topics.nameOf(row.topic))
    columns.types.push(row.type)
    columns.json.push(row.is_json === 1)
    columns.data.push(row.data)
    columns.checks += row.check_own
    this.bytes += row.size_bytes
  }
}
