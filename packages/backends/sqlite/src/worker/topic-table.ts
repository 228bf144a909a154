import { isPattern, type Position, type Selector, type Topic } from '@millrace/protocol'
import { later, PatternSet, ruleIndexOf, selectorTest, type ResolvedTopicRule } from '@millrace/server/log-parts'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { LogState } from './log-state.ts'
import { TopicEvictions } from './topic-evictions.ts'
import { forgottenTopic, type ForgottenTopic, type TopicFacts, type TopicRecord } from './topic-record.ts'

/**
 * The known topics, in memory: what is evicted of them, and in which order they were last published to. Forgotten topics
 * are looked up in the file; a topic that is not known counts as evicted up to `forgottenTo`.
 */
export class TopicTable {
  readonly hasStateRules: boolean
  readonly #state: LogState
  readonly #rules: readonly ResolvedTopicRule[]
  readonly #byName = new Map<string, TopicRecord>()
  readonly #byId = new Map<number, TopicRecord>()
  /** Log topics in the order of their last events, oldest first; and those of either kind that have ended. */
  readonly #logs = new Set<TopicRecord>()
  readonly #ended = new Set<TopicRecord>()
  readonly #evictions: TopicEvictions
  readonly #selectForgotten: StatementSync
  readonly #selectById: StatementSync
  #lastId: number

  constructor(database: DatabaseSync, state: LogState, rules: readonly ResolvedTopicRule[]) {
    this.#state = state
    this.#rules = rules
    this.hasStateRules = rules.some(({ kind }) => kind === 'state')
    this.#evictions = new TopicEvictions(rules.length)
    this.#selectForgotten = database.prepare('SELECT id, last_seq, event_count, event_bytes FROM topic WHERE name = ?')
    this.#selectById = database.prepare('SELECT name, last_seq, event_count, event_bytes FROM topic WHERE id = ?')
    this.#lastId = Number(database.prepare('SELECT coalesce(max(id), 0) AS last FROM topic').get()?.['last'])
    this.#load(database)
  }

  /** Of the topics that can be forgotten. */
  get logCount(): number {
    return this.#logs.size
  }

  /** Known log topics, the one that was quiet for longest first. */
  logs(): Iterable<TopicRecord> {
    return this.#logs
  }

  /** Known topics that have ended, in the order of their ends. */
  ended(): Iterable<TopicRecord> {
    return this.#ended
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
    return row && forgottenTopic(Number(row['id']), name, row)
  }

  forgottenById(id: number): ForgottenTopic {
    const row = this.#selectById.get(id)
    if (!row) throw new Error(`events of topic ${id} are kept, which is not in the table "topic"`)
    return forgottenTopic(id, String(row['name']), row)
  }

  nameOf(id: number): Topic {
    return this.#byId.get(id)?.name ?? this.forgottenById(id).name
  }

  ruleIndexOf(topic: Topic): number {
    return ruleIndexOf(this.#rules, topic)
  }

  /** Whether a topic, known or not, is a state topic. */
  isState(name: string): boolean {
    if (!this.hasStateRules) return false
    return this.#byName.get(name)?.isState ?? this.isStateRule(this.ruleIndexOf(name as Topic))
  }

  isStateRule(index: number): boolean {
    return this.#rules[index]?.kind === 'state'
  }

  /** An id that no topic has had since the log was opened. */
  nextId(): number {
    this.#lastId++
    return this.#lastId
  }

  /** Adds a topic that has the newest event of all. */
  add(id: number, name: Topic, facts: TopicFacts): TopicRecord {
    const index = this.ruleIndexOf(name)
    const record: TopicRecord = {
      id,
      name,
      ruleIndex: index,
      isState: this.isStateRule(index),
      ...facts,
      eviction: undefined,
    }
    this.#byName.set(name, record)
    this.#byId.set(id, record)
    if (!record.isState) this.#logs.add(record)
    if (record.isEnded) this.#ended.add(record)
    return record
  }

  /** It has the newest event of all. */
  renew(record: TopicRecord, facts: Omit<TopicFacts, 'evictedTo'>): void {
    if (!record.isState) {
      this.#logs.delete(record)
      this.#logs.add(record)
    }
    if (record.isEnded) this.#ended.delete(record)
    if (facts.isEnded) this.#ended.add(record)
    Object.assign(record, facts)
  }

  forget(record: TopicRecord): void {
    this.#byName.delete(record.name)
    this.#byId.delete(record.id)
    this.#logs.delete(record)
    this.#ended.delete(record)
    this.#evictions.remove(record)
  }

  noteEvicted(record: TopicRecord, position: Position): void {
    // It may count as evicted further already, as one that may have been forgotten.
    record.evictedTo = later(position, record.evictedTo)
    // Nobody is owed what state topics were.
    if (record.isState) return
    this.#evictions.note(record, position)
  }

  /** The newest evicted event that matches, or that may and its topic is forgotten; `floor` if none is later. */
  newestEvicted(selectors: readonly Selector[] | 'all', floor: Position): Position {
    const newestOfAll = later(floor, this.#state.standing.evictedTo)
    // Whoever reads on in the unbroken part of the log need not be matched against what was evicted.
    if (selectors === 'all' || newestOfAll === floor) return newestOfAll
    let newest = floor
    const patterns: Selector[] = []
    for (const selector of selectors) {
      if (isPattern(selector)) patterns.push(selector)
      else newest = later(newest, this.#evictedToOf(selector))
    }
    return patterns.length === 0 ? newest : this.#newestEvictedMatch(patterns, newest)
  }

  /** The known log topics that match, and whose last events are in a range; the one that was quiet for longest first. */
  matchingLogs(selectors: readonly Selector[] | 'all', afterSeq: number, toSeq: number): TopicRecord[] {
    return inRange(this.#logs, selectors, afterSeq, toSeq)
  }

  /** The same of those that have ended, of either kind. */
  matchingEnded(selectors: readonly Selector[] | 'all', afterSeq: number, toSeq: number): TopicRecord[] {
    return inRange(this.#ended, selectors, afterSeq, toSeq)
  }

  /** Whether a log topic that matches may have been forgotten. */
  mayLack(selectors: readonly Selector[] | 'all'): boolean {
    if (!this.#state.standing.hasForgotten) return false
    return (
      selectors === 'all' ||
      selectors.some((selector) => isPattern(selector) || (!this.#byName.has(selector) && !this.isState(selector)))
    )
  }

  #load(database: DatabaseSync): void {
    const rows = database
      .prepare(
        `SELECT id, name, last_seq, event_count, event_bytes, evicted_seq, evicted_check, is_ended
         FROM topic WHERE is_known = 1 ORDER BY last_seq`,
      )
      .iterate()
    const evicted: TopicRecord[] = []
    for (const row of rows) {
      const evictedSeq = Number(row['evicted_seq'])
      const record = this.add(Number(row['id']), String(row['name']) as Topic, {
        lastSeq: Number(row['last_seq']),
        count: Number(row['event_count']),
        bytes: Number(row['event_bytes']),
        isEnded: row['is_ended'] === 1,
        evictedTo: evictedSeq > 0 ? this.#state.position(evictedSeq, String(row['evicted_check'])) : undefined,
      })
      if (record.evictedTo && !record.isState) evicted.push(record)
    }
    evicted.sort((one, other) => (one.evictedTo?.seq ?? 0) - (other.evictedTo?.seq ?? 0))
    // Which topics are log topics may have changed.
    let evictedTo = this.#state.standing.forgottenTo
    for (const record of evicted) {
      if (!record.evictedTo) continue
      this.#evictions.addOld(record, record.evictedTo)
      evictedTo = evictedTo ? later(evictedTo, record.evictedTo) : record.evictedTo
    }
    this.#state.standing = { ...this.#state.standing, evictedTo }
  }

  #evictedToOf(name: string): Position | undefined {
    const record = this.#byName.get(name)
    if (this.isState(name)) return undefined
    return record ? record.evictedTo : this.#state.standing.forgottenTo
  }

  #newestEvictedMatch(patterns: readonly Selector[], floor: Position): Position {
    const set = new PatternSet(patterns)
    const newestForgotten = later(floor, this.#state.standing.forgottenTo)
    return this.#evictions.newestMatch((topic) => set.matches(topic), newestForgotten)
  }
}

function inRange(
  records: Iterable<TopicRecord>,
  selectors: readonly Selector[] | 'all',
  afterSeq: number,
  toSeq: number,
): TopicRecord[] {
  const matches = selectors === 'all' ? undefined : selectorTest(selectors)
  const found: TopicRecord[] = []
  for (const record of records) {
    if (record.lastSeq <= afterSeq || record.lastSeq > toSeq) continue
    if (!matches || matches(record.name)) found.push(record)
  }
  return found
}
