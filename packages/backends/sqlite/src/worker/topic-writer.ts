import { later } from '@millrace/server/log-parts'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { LogState, Standing } from './log-state.ts'
import type { RuleTable } from './rule-totals.ts'
import type { StateValues } from './state-values.ts'
import { inOrder, type TopicDraft } from './topic-draft.ts'
import type { TopicTable } from './topic-table.ts'

type Drafts = ReadonlyMap<string, TopicDraft>

/** What was written of a group, besides its events. */
export interface WrittenGroup {
  readonly standing: Standing
  /** Names of the topics that are no longer known. */
  readonly forgotten: ReadonlySet<string>
}

/** Keeps topics and the sums of rules true when a group of appends is stored: in the file first, then in memory. */
export class TopicWriter {
  readonly #state: LogState
  readonly #topics: TopicTable
  readonly #rules: RuleTable
  readonly #values: StateValues
  readonly #maxTopics: number
  readonly #insertTopic: StatementSync
  readonly #updateTopic: StatementSync
  readonly #forgetTopic: StatementSync
  readonly #deleteTopic: StatementSync
  readonly #deleteLastEvent: StatementSync

  constructor(
    database: DatabaseSync,
    parts: { state: LogState; topics: TopicTable; rules: RuleTable; values: StateValues; maxTopics: number },
  ) {
    this.#state = parts.state
    this.#topics = parts.topics
    this.#rules = parts.rules
    this.#values = parts.values
    this.#maxTopics = parts.maxTopics
    this.#insertTopic = database.prepare(
      `INSERT INTO topic (id, name, is_known, last_seq, event_count, event_bytes, evicted_seq, evicted_check, is_ended, is_state)
       VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#updateTopic = database.prepare(
      `UPDATE topic SET is_known = 1, last_seq = ?, event_count = ?, event_bytes = ?, evicted_seq = ?, evicted_check = ?,
         is_ended = ?
       WHERE id = ?`,
    )
    this.#forgetTopic = database.prepare('UPDATE topic SET is_known = 0 WHERE id = ?')
    this.#deleteTopic = database.prepare('DELETE FROM topic WHERE id = ?')
    this.#deleteLastEvent = database.prepare('DELETE FROM last_event WHERE topic = ?')
  }

  /** To be called within the transaction that has stored the events. */
  write(drafts: Drafts, standing: Standing): WrittenGroup {
    for (const draft of drafts.values()) this.#writeTopic(draft)
    const written = this.#forget(drafts, standing)
    this.#writeRules(drafts)
    return written
  }

  /** To be called when that transaction has been committed, and before `state` is moved on. */
  apply(drafts: Drafts, forgotten: ReadonlySet<string>): void {
    const { forgottenTo } = this.#state.standing
    for (const draft of inOrder(drafts)) {
      this.#applyToRule(draft)
      const { id, name, record, lastSeq, count, isEnded } = draft
      const bytes = draft.bytesBefore + draft.addedBytes
      if (record) this.#topics.renew(record, { lastSeq, count, bytes, isEnded })
      else if (!forgotten.has(name)) {
        const evictedTo = draft.isState ? undefined : forgottenTo
        this.#topics.add(id, name, { lastSeq, count, bytes, isEnded, evictedTo })
      }
    }
    for (const name of forgotten) {
      const record = this.#topics.byName(name)
      if (record) this.#topics.forget(record)
    }
  }

  #writeTopic(draft: TopicDraft): void {
    const { id, name, record, isState, hasRow, countBefore, count, lastSeq } = draft
    const bytes = draft.bytesBefore + draft.addedBytes
    // One that is not known may have been, and forgotten; a state topic never is.
    const unknownTo = isState ? undefined : this.#state.standing.forgottenTo
    const evicted = record ? record.evictedTo : unknownTo
    const evictedTo = [evicted?.seq ?? 0, evicted?.check ?? ''] as const
    const isEnded = draft.isEnded ? 1 : 0
    if (hasRow) this.#updateTopic.run(lastSeq, count, bytes, ...evictedTo, isEnded, id)
    else this.#insertTopic.run(id, name, lastSeq, count, bytes, ...evictedTo, isEnded, isState ? 1 : 0)
    if (record && countBefore === 0 && !isState) this.#deleteLastEvent.run(id)
  }

  /** Forgets the log topics that have been quiet for longest, down to `maxTopics`. */
  #forget(drafts: Drafts, standing: Standing): WrittenGroup {
    const forgotten = new Set<string>()
    let newCount = 0
    for (const { record, isState } of drafts.values()) if (!record && !isState) newCount++
    let excess = this.#topics.logCount + newCount - this.#maxTopics
    if (excess <= 0) return { standing, forgotten }
    let { forgottenTo } = standing
    for (const { id, name, count, evictedTo } of this.#topics.logs()) {
      if (excess === 0) break
      if (drafts.has(name)) continue
      if (evictedTo) forgottenTo = later(evictedTo, forgottenTo)
      if (count > 0) this.#forgetTopic.run(id)
      else {
        this.#deleteTopic.run(id)
        this.#deleteLastEvent.run(id)
      }
      this.#values.forgetTopic(id)
      forgotten.add(name)
      excess--
    }
    const logDrafts = inOrder(drafts).filter(({ isState }) => !isState)
    for (const { id, name, record } of logDrafts.slice(0, excess)) {
      if (record?.evictedTo) forgottenTo = later(record.evictedTo, forgottenTo)
      this.#forgetTopic.run(id)
      this.#values.forgetTopic(id)
      forgotten.add(name)
    }
    return { standing: { ...standing, forgottenTo, hasForgotten: true }, forgotten }
  }

  #writeRules(drafts: Drafts): void {
    const touched = new Map<number, { count: number; bytes: number; evictedTo: number }>()
    for (const { ruleIndex, count, countBefore, addedBytes } of drafts.values()) {
      const totals = this.#rules.totals[ruleIndex]
      if (!totals) continue
      const sums = touched.get(ruleIndex) ?? { count: totals.count, bytes: totals.bytes, evictedTo: totals.evictedTo }
      sums.count += count - countBefore
      sums.bytes += addedBytes
      touched.set(ruleIndex, sums)
    }
    for (const [index, sums] of touched) this.#rules.write(index, sums)
  }

  #applyToRule({ ruleIndex, count, countBefore, addedBytes, oldestAgeMs }: TopicDraft): void {
    const totals = this.#rules.totals[ruleIndex]
    if (!totals || count === countBefore) return
    if (totals.count === 0) totals.oldestAgeMs = oldestAgeMs
    // A value that was replaced may be older than those that were replaced before it.
    else if (totals.oldestAgeMs !== undefined && oldestAgeMs !== undefined) {
      totals.oldestAgeMs = Math.min(totals.oldestAgeMs, oldestAgeMs)
    }
    totals.count += count - countBefore
    totals.bytes += addedBytes
  }
}
