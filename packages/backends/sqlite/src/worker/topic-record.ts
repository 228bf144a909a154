import type { Position, Topic } from '@millrace/protocol'
import type { PlacedEviction } from './topic-evictions.ts'

/** A topic that the log knows. Its last event is in the file. */
export interface TopicRecord {
  readonly id: number
  readonly name: Topic
  readonly ruleIndex: number
  readonly isState: boolean
  /** Whether its last event has an end mark. */
  isEnded: boolean
  lastSeq: number
  /**
   * Of the events kept; when none is, the last event is in the table `last_event`. Of a state topic those of its
   * superseded values; its last event is among its values.
   */
  count: number
  bytes: number
  /** Its newest evicted event, or how far it counts as evicted because it may be one that was forgotten. */
  evictedTo: Position | undefined
  /** Its place in `TopicEvictions`. */
  eviction: PlacedEviction | undefined
}

/** A forgotten topic that still has events. It is no state topic: those are never forgotten. */
export interface ForgottenTopic {
  readonly id: number
  readonly name: Topic
  readonly lastSeq: number
  readonly count: number
  readonly bytes: number
}

export type TopicFacts = Pick<TopicRecord, 'lastSeq' | 'count' | 'bytes' | 'isEnded' | 'evictedTo'>

/** A row of the table `topic` with these columns, of a topic that was forgotten. */
export function forgottenTopic(id: number, name: string, row: Record<string, unknown>): ForgottenTopic {
  return {
    id,
    name: name as Topic,
    lastSeq: Number(row['last_seq']),
    count: Number(row['event_count']),
    bytes: Number(row['event_bytes']),
  }
}
