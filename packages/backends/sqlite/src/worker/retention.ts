import type { Position } from '@millrace/protocol'
import { later } from '@millrace/server/log-parts'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Times } from '../messages.ts'
import type { LogState, Standing } from './log-state.ts'
import type { RuleTable, RuleTotals } from './rule-totals.ts'
import type { ForgottenTopic, TopicRecord } from './topic-record.ts'
import type { TopicTable } from './topic-table.ts'
import type { Transactions } from './transaction.ts'

/** A slice ends after this. An append waits for one slice and its commit at the most. Milliseconds. */
const SLICE_MS = 1
/**
 * Or after so many topics: each is written when the slice ends, in pages that the commit has to store and a checkpoint to
 * copy. With 1,000 topics in turn a slice takes a tenth of the time, and as many events go in the end.
 */
const SLICE_TOPICS = 128
/** Looked at between two looks at the time. */
const STEP_COUNT = 64

interface EventRow {
  readonly seq: number
  readonly topic: number
  readonly age_ms: number
  readonly size_bytes: number
  readonly check_own: string
}

/** What a slice takes from one topic. */
interface TopicCut {
  readonly topic: TopicRecord | ForgottenTopic
  readonly record: TopicRecord | undefined
  readonly ruleIndex: number
  count: number
  bytes: number
  evicted: Position | undefined
}

/** Where the events of a rule are: those of log topics, or the replaced values of state topics. */
interface EvictedTable {
  readonly select: StatementSync
  readonly deleteRun: StatementSync
}

/** Evicts what breaks the limits of its rule, oldest first, in slices that each are one short transaction. */
export class Retention {
  readonly #transactions: Transactions
  readonly #state: LogState
  readonly #topics: TopicTable
  readonly #rules: RuleTable
  readonly #events: EvictedTable
  readonly #superseded: EvictedTable
  readonly #keepLast: StatementSync
  readonly #updateTopic: StatementSync
  readonly #deleteTopic: StatementSync

  constructor(
    database: DatabaseSync,
    parts: { transactions: Transactions; state: LogState; topics: TopicTable; rules: RuleTable },
  ) {
    this.#transactions = parts.transactions
    this.#state = parts.state
    this.#topics = parts.topics
    this.#rules = parts.rules
    this.#events = evictedTable(database, 'event')
    this.#superseded = evictedTable(database, 'superseded')
    this.#keepLast = database.prepare(
      `INSERT INTO last_event
       SELECT topic, seq, check_own, time_ms, type, is_json, data, value_key, except_client, is_end FROM event WHERE seq = ?`,
    )
    this.#updateTopic = database.prepare(
      'UPDATE topic SET event_count = ?, event_bytes = ?, evicted_seq = ?, evicted_check = ? WHERE id = ?',
    )
    this.#deleteTopic = database.prepare('DELETE FROM topic WHERE id = ?')
  }

  /** Whether something is or may be over its limits. */
  isDue(times: Times): boolean {
    const ageMs = Math.floor(this.#state.ageMs(times))
    return this.#rules.totals.some((totals) => mayBeOver(totals, ageMs))
  }

  /** Evicts for a short time, but walks over so many events: as were appended since, or it would fall behind. */
  runSlice(times: Times, minCount: number): void {
    const ageMs = Math.floor(this.#state.ageMs(times))
    const index = this.#rules.totals.findIndex((totals) => mayBeOver(totals, ageMs))
    const totals = this.#rules.totals[index]
    if (!totals) return
    const next = { ...totals, oldestAgeMs: undefined }
    const cuts = new Map<number, TopicCut>()
    const standing = this.#transactions.run(() => {
      this.#cut(index, next, cuts, { ageMs, minCount })
      let written = this.#state.standing
      for (const cut of cuts.values()) written = this.#writeCut(cut, written)
      this.#rules.write(index, next)
      if (cuts.size > 0) this.#state.write(written, times)
      return written
    })
    // In the order of what was evicted last of each: so each is the newest of its rule when it is noted.
    const inOrder = [...cuts.values()].sort((one, other) => (one.evicted?.seq ?? 0) - (other.evicted?.seq ?? 0))
    for (const { record, count, bytes, evicted } of inOrder) {
      if (!record || !evicted) continue
      Object.assign(record, { count, bytes })
      this.#topics.noteEvicted(record, evicted)
    }
    Object.assign(totals, next)
    this.#state.standing = standing
  }

  /** Walks on from the rule's oldest event, and deletes in runs: most often a rule has all events in a row. */
  #cut(
    ruleIndex: number,
    totals: RuleTotals,
    cuts: Map<number, TopicCut>,
    { ageMs, minCount }: { ageMs: number; minCount: number },
  ): void {
    const maxTopics = Math.max(SLICE_TOPICS, minCount)
    let count = 0
    const endMs = performance.now() + SLICE_MS
    const { select, deleteRun } = totals.rule.kind === 'state' ? this.#superseded : this.#events
    let runFrom: number | undefined
    const endRun = (): void => {
      if (runFrom !== undefined) deleteRun.run(runFrom, totals.evictedTo)
      runFrom = undefined
    }
    for (;;) {
      const rows = select.all(totals.evictedTo, STEP_COUNT) as unknown as EventRow[]
      for (const row of rows) {
        const cut = this.#cutOf(row.topic, cuts)
        if (cut.ruleIndex === ruleIndex) {
          totals.oldestAgeMs = row.age_ms
          if (!isOver(totals, ageMs)) {
            endRun()
            return
          }
          this.#evict(row, cut, totals)
          runFrom ??= row.seq
        } else endRun()
        totals.evictedTo = row.seq
      }
      endRun()
      totals.oldestAgeMs = undefined
      // Everything was walked: whatever the sums say, the rule has no event left.
      if (rows.length < STEP_COUNT) Object.assign(totals, { count: 0, bytes: 0 })
      if (rows.length < STEP_COUNT || cuts.size >= maxTopics) return
      count += rows.length
      if (count >= minCount && performance.now() > endMs) return
    }
  }

  #cutOf(id: number, cuts: Map<number, TopicCut>): TopicCut {
    const known = cuts.get(id)
    if (known) return known
    const record = this.#topics.byId(id)
    const topic = record ?? this.#topics.forgottenById(id)
    const ruleIndex = record?.ruleIndex ?? this.#topics.ruleIndexOf(topic.name)
    const cut: TopicCut = { topic, record, ruleIndex, count: topic.count, bytes: topic.bytes, evicted: undefined }
    cuts.set(id, cut)
    return cut
  }

  #evict(row: EventRow, cut: TopicCut, totals: RuleTotals): void {
    if (cut.record?.lastSeq === row.seq && !cut.record.isState) this.#keepLast.run(row.seq)
    cut.count--
    cut.bytes -= row.size_bytes
    cut.evicted = this.#state.position(row.seq, row.check_own)
    totals.count--
    totals.bytes -= row.size_bytes
  }

  #writeCut({ topic, record, count, bytes, evicted }: TopicCut, standing: Standing): Standing {
    if (!evicted) return standing
    if (!record && count === 0) this.#deleteTopic.run(topic.id)
    else {
      const { seq, check } = later(evicted, record?.evictedTo)
      this.#updateTopic.run(count, bytes, seq, check, topic.id)
    }
    // Nobody is owed what state topics were.
    if (record?.isState) return standing
    const evictedTo = later(evicted, standing.evictedTo)
    return record
      ? { ...standing, evictedTo }
      : { ...standing, evictedTo, forgottenTo: later(evicted, standing.forgottenTo) }
  }
}

function evictedTable(database: DatabaseSync, name: 'event' | 'superseded'): EvictedTable {
  return {
    select: database.prepare(
      `SELECT seq, topic, age_ms, size_bytes, check_own FROM ${name} WHERE seq > ? ORDER BY seq LIMIT ?`,
    ),
    deleteRun: database.prepare(`DELETE FROM ${name} WHERE seq BETWEEN ? AND ?`),
  }
}

function isOver({ rule: { retention }, count, bytes, oldestAgeMs }: RuleTotals, ageMs: number): boolean {
  const { maxAgeMs, maxCount, maxBytes } = retention
  if (maxCount !== false && count > maxCount) return true
  if (maxBytes !== false && bytes > maxBytes) return true
  return maxAgeMs !== false && oldestAgeMs !== undefined && ageMs - oldestAgeMs > maxAgeMs
}

function mayBeOver(totals: RuleTotals, ageMs: number): boolean {
  if (totals.count === 0) return false
  const isUnknown = totals.rule.retention.maxAgeMs !== false && totals.oldestAgeMs === undefined
  return isUnknown || isOver(totals, ageMs)
}
