import { compileSelectors, isPattern, type Position, type Selector, type Topic } from '@millrace/protocol'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { EvictionTree, later, type EvictionNode } from './eviction-tree.ts'
import type { LogState } from './log-state.ts'

/** A topic that the log knows. Its last event is in the file. */
export interface TopicRecord {
  readonly id: number
  readonly name: Topic
  readonly ruleIndex: number
  lastSeq: number
  /** Of the events kept. When none is, the last event is in the table `last_event`. */
  count: number
  bytes: number
  /** Where its newest evicted event was. */
  readonly evictions: EvictionNode
}

/** A forgotten topic that still has events. */
export interface ForgottenTopic {
  readonly id: number
  readonly name: Topic
  readonly lastSeq: number
  readonly count: number
  readonly bytes: number
}

/**
 * The known topics, in memory: what is evicted of them, and in which order they were last published to. Forgotten topics
 * are looked up in the file; a topic that is not known counts as evicted up to `forgottenTo`.
 */
export class TopicTable {
  readonly #state: LogState
  readonly #ruleIndexOf: (topic: Topic) => number
  /** In the order of their last events, oldest first. */
  readonly #byName = new Map<string, TopicRecord>()
  readonly #byId = new Map<number, TopicRecord>()
  readonly #evictions = new EvictionTree()
  readonly #selectForgotten: StatementSync
  readonly #selectById: StatementSync
  #lastId: number

  constructor(database: DatabaseSync, state: LogState, ruleIndexOf: (topic: Topic) => number) {
    this.#state = state
    this.#ruleIndexOf = ruleIndexOf
    this.#selectForgotten = database.prepare('SELECT id, last_seq, event_count, event_bytes FROM topic WHERE name = ?')
    this.#selectById = database.prepare('SELECT name, last_seq, event_count, event_bytes FROM topic WHERE id = ?')
    this.#lastId = Number(database.prepare('SELECT coalesce(max(id), 0) AS last FROM topic').get()?.['last'])
    const rows = database
      .prepare(
        `SELECT id, name, last_seq, event_count, event_bytes, evicted_seq, evicted_check
         FROM topic WHERE is_known = 1 ORDER BY last_seq`,
      )
      .iterate()
    for (const row of rows) {
      const record = this.add(Number(row['id']), String(row['name']) as Topic, {
        lastSeq: Number(row['last_seq']),
        count: Number(row['event_count']),
        bytes: Number(row['event_bytes']),
      })
      const evictedSeq = Number(row['evicted_seq'])
      if (evictedSeq > 0) this.noteEvicted(record, state.position(evictedSeq, String(row['evicted_check'])))
    }
  }

  get size(): number {
    return this.#byName.size
  }

  /** Known topics, the one that was quiet for longest first. */
  records(): Iterable<TopicRecord> {
    return this.#byName.values()
  }

  byName(name: string): TopicRecord | undefined {
    return this.#byName.get(name)
  }

  byId(id: number): TopicRecord | undefined {
    return this.#byId.get(id)
  }

  forgottenByName(name: string): ForgottenTopic | undefined {
    // As long as nothing was forgotten, a topic that is not known is new.
    if (!this.#state.standing.hasForgotten) return undefined
    const row = this.#selectForgotten.get(name)
    return row && forgotten(Number(row['id']), name, row)
  }

  forgottenById(id: number): ForgottenTopic {
    const row = this.#selectById.get(id)
    if (!row) throw new Error(`events of topic ${id} are kept, which is not in the table "topic"`)
    return forgotten(id, String(row['name']), row)
  }

  nameOf(id: number): Topic {
    return this.#byId.get(id)?.name ?? this.forgottenById(id).name
  }

  ruleIndexOf(topic: Topic): number {
    return this.#ruleIndexOf(topic)
  }

  /** An id that no topic has had since the log was opened. */
  nextId(): number {
    this.#lastId++
    return this.#lastId
  }

  add(id: number, name: Topic, counts: { lastSeq: number; count: number; bytes: number }): TopicRecord {
    const record = { id, name, ruleIndex: this.#ruleIndexOf(name), ...counts, evictions: this.#evictions.add(name) }
    this.#byName.set(name, record)
    this.#byId.set(id, record)
    return record
  }

  /** It has the newest event of all. */
  moveToNewest(record: TopicRecord): void {
    this.#byName.delete(record.name)
    this.#byName.set(record.name, record)
  }

  forget(record: TopicRecord): void {
    this.#byName.delete(record.name)
    this.#byId.delete(record.id)
    this.#evictions.remove(record.evictions)
  }

  noteEvicted(record: TopicRecord, position: Position): void {
    this.#evictions.note(record.evictions, position)
  }

  /** The newest evicted event that matches, or that may and its topic is forgotten; `floor` if none is later. */
  newestEvicted(selectors: readonly Selector[] | 'all', floor: Position): Position {
    const newestOfAll = later(floor, this.#state.standing.evictedTo)
    // Whoever reads on in the unbroken part of the log need not be matched against what was evicted.
    if (selectors === 'all' || newestOfAll === floor) return newestOfAll
    let newest = floor
    for (const selector of selectors) newest = this.#newestEvictedMatch(selector, newest)
    return newest
  }

  /** The known topics that match, the one that was quiet for longest first. */
  matching(selectors: readonly Selector[] | 'all'): TopicRecord[] {
    if (selectors === 'all') return [...this.#byName.values()]
    const matches = compileSelectors(selectors)
    return [...this.#byName.values()].filter(({ name }) => matches(name))
  }

  /** Whether a topic that matches may have been forgotten. */
  mayLack(selectors: readonly Selector[] | 'all'): boolean {
    if (!this.#state.standing.hasForgotten) return false
    return selectors === 'all' || selectors.some((selector) => isPattern(selector) || !this.#byName.has(selector))
  }

  #newestEvictedMatch(selector: Selector, floor: Position): Position {
    const { forgottenTo } = this.#state.standing
    if (isPattern(selector)) return this.#evictions.newestMatch(selector, later(floor, forgottenTo))
    const record = this.#byName.get(selector)
    return later(floor, record ? record.evictions.own : forgottenTo)
  }
}

function forgotten(id: number, name: string, row: Record<string, unknown>): ForgottenTopic {
  return {
    id,
    name: name as Topic,
    lastSeq: Number(row['last_seq']),
    count: Number(row['event_count']),
    bytes: Number(row['event_bytes']),
  }
}
