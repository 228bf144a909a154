import type { Position, Topic } from '@millrace/protocol'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { AppendGroup, AppendOutcome, NewEventColumns, NewEventExtra, Place, Times } from '../messages.ts'
import type { AppendGate, AppendPart } from './append-gate.ts'
import type { DedupeTable } from './dedupe-table.ts'
import type { LogState } from './log-state.ts'
import type { RuleTable } from './rule-totals.ts'
import type { StateValues } from './state-values.ts'
import { draftOf, type TopicDraft } from './topic-draft.ts'
import { TopicWriter } from './topic-writer.ts'
import type { TopicTable } from './topic-table.ts'
import type { Transactions } from './transaction.ts'

/** The parts of a log that an appender changes. */
export interface AppenderParts {
  readonly transactions: Transactions
  readonly state: LogState
  readonly topics: TopicTable
  readonly rules: RuleTable
  readonly values: StateValues
  readonly dedupes: DedupeTable
  readonly gate: AppendGate
  readonly maxTopics: number
}

const CHECK_LENGTH = 3

/** A group on its way into the file. */
class GroupDraft {
  readonly drafts = new Map<string, TopicDraft>()
  readonly duplicates: { at: number; place: Place }[] = []
  readonly refused: { append: number; message: string; passes: boolean }[] = []
  readonly extras: ReadonlyMap<number, NewEventExtra> | undefined
  seq: number
  check: string

  constructor({ seq, check }: Position, { extras }: NewEventColumns) {
    this.seq = seq
    this.check = check
    this.extras = extras.length > 0 ? new Map(extras.map((extra) => [extra.at, extra])) : undefined
  }

  get outcome(): AppendOutcome | undefined {
    const { duplicates, refused } = this
    return duplicates.length + refused.length > 0 ? { duplicates, refused } : undefined
  }
}

/** Stores groups of appends, each as one transaction. */
export class Appender {
  readonly #parts: AppenderParts
  readonly #writer: TopicWriter
  readonly #insertEvent: StatementSync
  readonly #insertWithExtra: StatementSync

  constructor(database: DatabaseSync, parts: AppenderParts) {
    this.#parts = parts
    this.#writer = new TopicWriter(database, parts)
    this.#insertEvent = database.prepare(
      `INSERT INTO event (seq, topic, previous_seq, check_before, check_own, time_ms, age_ms, size_bytes, type, is_json, data)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#insertWithExtra = database.prepare('INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  }

  /** @param checkFile called before the commit; throws when the file is not the log's any more */
  append(group: AppendGroup, timeMs: number, times: Times, checkFile: () => void): AppendOutcome | undefined {
    const { transactions, state, values, dedupes } = this.#parts
    const draft = new GroupDraft(state.head, group.events)
    const countsBefore = [values.count, dedupes.count] as const
    try {
      const { standing, forgotten } = transactions.run(() => {
        this.#insertAll(group, draft, timeMs, times)
        const head = state.position(draft.seq, draft.check)
        const next = this.#writer.write(draft.drafts, { ...state.standing, head, timeMs })
        state.write(next.standing, times)
        checkFile()
        return next
      })
      this.#writer.apply(draft.drafts, forgotten)
      state.standing = standing
    } catch (error) {
      ;[values.count, dedupes.count] = countsBefore
      throw error
    }
    return draft.outcome
  }

  #insertAll({ events, counts, publishers }: AppendGroup, draft: GroupDraft, timeMs: number, times: Times): void {
    const { state, topics, gate } = this.#parts
    const exactAgeMs = state.ageMs(times)
    // Rounded up here and down where it is compared, so that nothing is evicted before its time.
    const ageMs = Math.ceil(exactAgeMs)
    if (!draft.extras && !topics.hasStateRules) {
      for (let i = 0; i < events.topics.length; i++) this.#insert(events, i, draft, timeMs, ageMs)
      return
    }
    let from = 0
    for (const [append, count] of counts.entries()) {
      const part: AppendPart = { from, to: from + count, publisher: publishers[append] ?? '' }
      const verdict = gate.judge(events, draft.extras, part, Math.floor(exactAgeMs))
      if (verdict.kind === 'refuse') draft.refused.push({ append, message: verdict.message, passes: verdict.passes })
      else this.#insertPart(events, part, draft, { duplicates: verdict.duplicates, timeMs, ageMs })
      from += count
    }
  }

  #insertPart(
    events: NewEventColumns,
    { from, to, publisher }: AppendPart,
    draft: GroupDraft,
    how: { duplicates: ReadonlyMap<number, Place | number>; timeMs: number; ageMs: number },
  ): void {
    const places = new Map<number, Place>()
    for (let at = from; at < to; at++) {
      const duplicate = how.duplicates.get(at)
      if (duplicate !== undefined) {
        const place = typeof duplicate === 'number' ? places.get(duplicate) : duplicate
        if (place) draft.duplicates.push({ at, place })
        continue
      }
      this.#insert(events, at, draft, how.timeMs, how.ageMs)
      const dedupeKey = draft.extras?.get(at)?.dedupeKey
      if (dedupeKey === undefined) continue
      const place: Place = { seq: draft.seq, check: draft.check }
      places.set(at, place)
      this.#parts.dedupes.add(place, how.ageMs, publisher, dedupeKey)
    }
  }

  /** Stores one event after the others of its group. */
  #insert(
    { topics, types, json, data, checks }: NewEventColumns,
    i: number,
    group: GroupDraft,
    timeMs: number,
    ageMs: number,
  ): void {
    const name = topics[i] ?? ''
    const type = types[i] ?? null
    const text = data[i] ?? ''
    const isJson = json[i] === true ? 1 : 0
    const extra = group.extras?.get(i)
    let draft = group.drafts.get(name)
    if (!draft) {
      draft = draftOf(name as Topic, this.#parts.topics)
      group.drafts.set(name, draft)
    }
    const before = group.check
    const seq = group.seq + 1
    const check = checks.slice(i * CHECK_LENGTH, (i + 1) * CHECK_LENGTH)
    const sizeBytes = Buffer.byteLength(name) + Buffer.byteLength(type ?? '') + Buffer.byteLength(text)
    const { id } = draft
    if (draft.isState) {
      const { key = null, except = null } = extra ?? {}
      const end = extra?.end === true ? 1 : 0
      this.#put(draft, [seq, id, check, timeMs, ageMs, sizeBytes, type, isJson, text, key, except, end])
    } else {
      if (extra) {
        const { key = null, except = null, end } = extra
        const isEnd = end === true ? 1 : 0
        this.#insertWithExtra.run(
          ...[seq, id, draft.lastSeq, before, check, timeMs, ageMs, sizeBytes, type, isJson, text, key, except, isEnd],
        )
      } else {
        this.#insertEvent.run(seq, id, draft.lastSeq, before, check, timeMs, ageMs, sizeBytes, type, isJson, text)
      }
      draft.count++
      draft.addedBytes += sizeBytes
      draft.oldestAgeMs ??= ageMs
    }
    draft.lastSeq = seq
    draft.isEnded = extra?.end === true
    group.seq = seq
    group.check = check
  }

  /** Stores a value of a state topic; what counts there is what it replaces. */
  #put(draft: TopicDraft, row: Parameters<StateValues['put']>[0]): void {
    const replaced = this.#parts.values.put(row, draft.ruleIndex)
    if (!replaced?.isKept) return
    draft.count++
    draft.addedBytes += replaced.sizeBytes
    draft.oldestAgeMs = Math.min(replaced.ageMs, draft.oldestAgeMs ?? replaced.ageMs)
  }
}
