import type { Topic } from '@millrace/protocol'
import type { TopicRecord } from './topic-record.ts'
import type { TopicTable } from './topic-table.ts'

/** What a group of appends does to one topic: written first, and applied to memory when it has been committed. */
export interface TopicDraft {
  readonly name: Topic
  readonly id: number
  readonly ruleIndex: number
  readonly isState: boolean
  /** Undefined for a topic that is not known. */
  readonly record: TopicRecord | undefined
  /** Whether the topic has a row, known or forgotten. */
  readonly hasRow: boolean
  readonly countBefore: number
  readonly bytesBefore: number
  /** Of the events that retention counts. */
  count: number
  addedBytes: number
  /** How old the log was when it stored the oldest of those that were added. Milliseconds. */
  oldestAgeMs: number | undefined
  lastSeq: number
  isEnded: boolean
}

export function draftOf(name: Topic, topics: TopicTable): TopicDraft {
  const record = topics.byName(name)
  const row = record ?? topics.forgottenByName(name)
  const ruleIndex = record?.ruleIndex ?? topics.ruleIndexOf(name)
  const count = row?.count ?? 0
  return {
    name,
    id: row?.id ?? topics.nextId(),
    ruleIndex,
    isState: record?.isState ?? topics.isStateRule(ruleIndex),
    record,
    hasRow: row !== undefined,
    countBefore: count,
    bytesBefore: row?.bytes ?? 0,
    count,
    addedBytes: 0,
    oldestAgeMs: undefined,
    lastSeq: row?.lastSeq ?? 0,
    isEnded: record?.isEnded ?? false,
  }
}

/** In the order of their last events. */
export function inOrder(drafts: ReadonlyMap<string, TopicDraft>): TopicDraft[] {
  return [...drafts.values()].sort((one, other) => one.lastSeq - other.lastSeq)
}
