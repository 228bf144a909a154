import type { Position, Topic } from '@millrace/protocol'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { NewEventColumns, Times } from '../messages.ts'
import { later } from './eviction-tree.ts'
import type { LogState, Standing } from './log-state.ts'
import type { RuleTable } from './rule-totals.ts'
import type { TopicRecord, TopicTable } from './topic-table.ts'
import type { Transactions } from './transaction.ts'

/** What a group of appends does to one topic: written first, and applied to memory when it has been committed. */
interface TopicDraft {
  readonly name: Topic
  readonly id: number
  readonly ruleIndex: number
  /** Undefined for a topic that is not known. */
  readonly record: TopicRecord | undefined
  /** Whether the topic has a row, known or forgotten. */
  readonly hasRow: boolean
  readonly countBefore: number
  count: number
  bytes: number
  addedBytes: number
  lastSeq: number
}

const CHECK_LENGTH = 3

/** Stores groups of appends, each as one transaction. */
export class Appender {
  readonly #transactions: Transactions
  readonly #state: LogState
  readonly #topics: TopicTable
  readonly #rules: RuleTable
  readonly #maxTopics: number
  readonly #insertEvent: StatementSync
  readonly #insertTopic: StatementSync
  readonly #updateTopic: StatementSync
  readonly #forgetTopic: StatementSync
  readonly #deleteTopic: StatementSync
  readonly #deleteLastEvent: StatementSync

  constructor(
    database: DatabaseSync,
    parts: { transactions: Transactions; state: LogState; topics: TopicTable; rules: RuleTable; maxTopics: number },
  ) {
    this.#transactions = parts.transactions
    this.#state = parts.state
    this.#topics = parts.topics
    this.#rules = parts.rules
    this.#maxTopics = parts.maxTopics
    this.#insertEvent = database.prepare('INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#insertTopic = database.prepare('INSERT INTO topic VALUES (?, ?, 1, ?, ?, ?, ?, ?)')
    this.#updateTopic = database.prepare(
      `UPDATE topic SET is_known = 1, last_seq = ?, event_count = ?, event_bytes = ?, evicted_seq = ?, evicted_check = ?
       WHERE id = ?`,
    )
    this.#forgetTopic = database.prepare('UPDATE topic SET is_known = 0 WHERE id = ?')
    this.#deleteTopic = database.prepare('DELETE FROM topic WHERE id = ?')
    this.#deleteLastEvent = database.prepare('DELETE FROM last_event WHERE topic = ?')
  }

  /** @param checkFile called before the commit; throws when the file is not the log's any more */
  append(events: NewEventColumns, timeMs: number, times: Times, checkFile: () => void): void {
    // Rounded up here and down where it is compared, so that nothing is evicted before its time.
    const ageMs = Math.ceil(this.#state.ageMs(times))
    const drafts = new Map<string, TopicDraft>()
    const { standing, forgotten } = this.#transactions.run(() => {
      const head = this.#insertEvents(events, drafts, timeMs, ageMs)
      for (const draft of drafts.values()) this.#writeTopic(draft)
      const next = this.#forget(drafts, { ...this.#state.standing, head, timeMs })
      this.#writeRules(drafts)
      this.#state.write(next.standing, times)
      checkFile()
      return next
    })
    this.#apply(drafts, forgotten, ageMs)
    this.#state.standing = standing
  }

  #insertEvents(events: NewEventColumns, drafts: Map<string, TopicDraft>, timeMs: number, ageMs: number): Position {
    const { topics, types, json, data, checks } = events
    let { seq, check } = this.#state.head
    for (const [i, topic] of topics.entries()) {
      const type = types[i]
      const text = data[i] ?? ''
      let draft = drafts.get(topic)
      if (!draft) {
        draft = this.#draft(topic as Topic)
        drafts.set(topic, draft)
      }
      const before = check
      seq++
      check = checks.slice(i * CHECK_LENGTH, (i + 1) * CHECK_LENGTH)
      const sizeBytes = Buffer.byteLength(topic) + Buffer.byteLength(type ?? '') + Buffer.byteLength(text)
      this.#insertEvent.run(
        seq,
        draft.id,
        draft.lastSeq,
        before,
        check,
        timeMs,
        ageMs,
        sizeBytes,
        type ?? null,
        json[i] === true ? 1 : 0,
        text,
      )
      draft.count++
      draft.bytes += sizeBytes
      draft.addedBytes += sizeBytes
      draft.lastSeq = seq
    }
    return this.#state.position(seq, check)
  }

  #draft(name: Topic): TopicDraft {
    const record = this.#topics.byName(name)
    const row = record ?? this.#topics.forgottenByName(name)
    return {
      name,
      id: row?.id ?? this.#topics.nextId(),
      ruleIndex: record?.ruleIndex ?? this.#topics.ruleIndexOf(name),
      record,
      hasRow: row !== undefined,
      countBefore: row?.count ?? 0,
      count: row?.count ?? 0,
      bytes: row?.bytes ?? 0,
      addedBytes: 0,
      lastSeq: row?.lastSeq ?? 0,
    }
  }

  #writeTopic({ id, name, record, hasRow, countBefore, count, bytes, lastSeq }: TopicDraft): void {
    // One that is not known may have been, and forgotten.
    const evicted = record ? record.evictions.own : this.#state.standing.forgottenTo
    const evictedTo = [evicted?.seq ?? 0, evicted?.check ?? ''] as const
    if (hasRow) this.#updateTopic.run(lastSeq, count, bytes, ...evictedTo, id)
    else this.#insertTopic.run(id, name, lastSeq, count, bytes, ...evictedTo)
    if (record && countBefore === 0) this.#deleteLastEvent.run(id)
  }

  /** Forgets the topics that have been quiet for longest, down to `maxTopics`. */
  #forget(
    drafts: ReadonlyMap<string, TopicDraft>,
    standing: Standing,
  ): { standing: Standing; forgotten: ReadonlySet<string> } {
    const forgotten = new Set<string>()
    let newCount = 0
    for (const { record } of drafts.values()) if (!record) newCount++
    let excess = this.#topics.size + newCount - this.#maxTopics
    if (excess <= 0) return { standing, forgotten }
    let { forgottenTo } = standing
    for (const { id, name, count, evictions } of this.#topics.records()) {
      if (excess === 0) break
      if (drafts.has(name)) continue
      if (evictions.own) forgottenTo = later(evictions.own, forgottenTo)
      if (count > 0) this.#forgetTopic.run(id)
      else {
        this.#deleteTopic.run(id)
        this.#deleteLastEvent.run(id)
      }
      forgotten.add(name)
      excess--
    }
    for (const { id, name, record } of inOrder(drafts).slice(0, excess)) {
      if (record?.evictions.own) forgottenTo = later(record.evictions.own, forgottenTo)
      this.#forgetTopic.run(id)
      forgotten.add(name)
    }
    return { standing: { ...standing, forgottenTo, hasForgotten: true }, forgotten }
  }

  #writeRules(drafts: ReadonlyMap<string, TopicDraft>): void {
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

  #apply(drafts: ReadonlyMap<string, TopicDraft>, forgotten: ReadonlySet<string>, ageMs: number): void {
    const { forgottenTo } = this.#state.standing
    for (const draft of inOrder(drafts)) {
      const { name, id, lastSeq, count, bytes } = draft
      const totals = this.#rules.totals[draft.ruleIndex]
      if (totals) {
        if (totals.count === 0) totals.oldestAgeMs = ageMs
        totals.count += count - draft.countBefore
        totals.bytes += draft.addedBytes
      }
      if (draft.record) {
        Object.assign(draft.record, { lastSeq, count, bytes })
        this.#topics.moveToNewest(draft.record)
      } else if (!forgotten.has(name)) {
        const record = this.#topics.add(id, name, { lastSeq, count, bytes })
        if (forgottenTo) this.#topics.noteEvicted(record, forgottenTo)
      }
    }
    for (const name of forgotten) {
      const record = this.#topics.byName(name)
      if (record) this.#topics.forget(record)
    }
  }
}

/** In the order of their last events. */
function inOrder(drafts: ReadonlyMap<string, TopicDraft>): TopicDraft[] {
  return [...drafts.values()].sort((one, other) => one.lastSeq - other.lastSeq)
}
