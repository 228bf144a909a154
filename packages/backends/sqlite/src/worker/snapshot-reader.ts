import type { Selector, Topic } from '@millrace/protocol'
import { selectorTest } from '@millrace/server/log-parts'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { SnapshotAnswer, SnapshotAsk } from '../messages.ts'
import { EVENT_COLUMNS, EventPage, type EventRow } from './event-page.ts'
import type { EventReader } from './event-reader.ts'
import type { LogState } from './log-state.ts'
import type { TopicRecord } from './topic-record.ts'
import type { TopicTable } from './topic-table.ts'

/** A page of values looks at no more of them than this, so that it never holds up the others for long. */
const MAX_SCAN_COUNT = 10_000
const CHUNK = 256

/** Where a page of a snapshot begins, and the limits of it. */
interface PageRange {
  readonly selectors: readonly Selector[] | 'all'
  readonly afterSeq: number
  readonly toSeq: number
  readonly maxCount: number
  readonly maxBytes: number
}

interface FoundPage {
  readonly page: EventPage
  readonly nextAfterSeq: number | undefined
}

/** Reads snapshots in pages. What has changed since the first page is left out of the others. */
export class SnapshotReader {
  readonly #state: LogState
  readonly #topics: TopicTable
  readonly #reader: EventReader
  readonly #selectValues: StatementSync
  readonly #selectValue: StatementSync

  constructor(database: DatabaseSync, parts: { state: LogState; topics: TopicTable; reader: EventReader }) {
    this.#state = parts.state
    this.#topics = parts.topics
    this.#reader = parts.reader
    this.#selectValues = database.prepare(
      'SELECT seq, topic FROM state_value WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?',
    )
    this.#selectValue = database.prepare(`SELECT ${EVENT_COLUMNS} FROM state_value WHERE seq = ?`)
  }

  read({ selectors, of, cursor, maxCount, maxBytes }: SnapshotAsk): SnapshotAnswer {
    const at = cursor?.at ?? this.#state.head
    const range = { selectors, afterSeq: cursor?.afterSeq ?? 0, toSeq: at.seq, maxCount, maxBytes }
    const { page, nextAfterSeq } = of === 'state' ? this.#values(range) : this.#lastEvents(of, range)
    // State topics are never forgotten.
    return { at, events: page.columns, partial: of !== 'state' && this.#topics.mayLack(selectors), nextAfterSeq }
  }

  #lastEvents(of: 'log' | 'ended', { selectors, afterSeq, toSeq, maxCount, maxBytes }: PageRange): FoundPage {
    const records: readonly TopicRecord[] =
      of === 'log'
        ? this.#topics.matchingLogs(selectors, afterSeq, toSeq)
        : this.#topics.matchingEnded(selectors, afterSeq, toSeq)
    const page = this.#reader.lastEvents(records, maxCount, maxBytes)
    return { page, nextAfterSeq: page.count < records.length ? page.columns.seqs.at(-1) : undefined }
  }

  #values({ selectors, afterSeq, toSeq, maxCount, maxBytes }: PageRange): FoundPage {
    const page = new EventPage(this.#topics)
    const wanted = this.#verdicts(selectors)
    // A snapshot without limits is one page.
    const scanLimit = maxCount === Infinity && maxBytes === Infinity ? Infinity : MAX_SCAN_COUNT
    let seq = afterSeq
    for (let scanCount = 0; scanCount < scanLimit; scanCount += CHUNK) {
      const rows = this.#selectValues.all(seq, toSeq, CHUNK) as unknown as Pick<EventRow, 'seq' | 'topic'>[]
      for (const row of rows) {
        if (wanted(row.topic)) {
          const value = this.#selectValue.get(row.seq) as unknown as EventRow
          if (page.count >= maxCount || !page.hasRoomFor(value, maxBytes)) return { page, nextAfterSeq: seq }
          page.add(value)
        }
        seq = row.seq
      }
      if (rows.length < CHUNK) return { page, nextAfterSeq: undefined }
    }
    return { page, nextAfterSeq: seq }
  }

  /** Whether a topic, by its id, is a state topic that matches: asked once for each. */
  #verdicts(selectors: readonly Selector[] | 'all'): (id: number) => boolean {
    const matches: (topic: Topic) => boolean = selectors === 'all' ? () => true : selectorTest(selectors)
    const verdicts = new Map<number, boolean>()
    return (id) => {
      let verdict = verdicts.get(id)
      if (verdict === undefined) {
        const record = this.#topics.byId(id)
        verdict = record?.isState === true && matches(record.name)
        verdicts.set(id, verdict)
      }
      return verdict
    }
  }
}
