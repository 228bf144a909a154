import type { Position } from '@millrace/protocol'
import type { EventContent, SlowPolicy, StoredEvent } from '@millrace/server'
import type { Block } from './reference-parser.ts'

/**
 * What a reader knows.
 * - `none`: it holds no id; the first one says where it starts.
 * - `at`: it has everything up to a position, or was told of a gap before it.
 * - `snapshot`: it is being given the last event of each topic; the next id says what that was of.
 * - `forged`: it holds an id that this log never gave out; it must be told before anything else.
 */
export type Knowledge =
  | { readonly kind: 'none' }
  | { readonly kind: 'at'; readonly position: Position }
  | { readonly kind: 'snapshot'; readonly seen: Map<string, Block> }
  | {
      readonly kind: 'forged'
      readonly id: string
      readonly position: Position | undefined
      readonly headThen: Position
    }

/** The topics of a stream were changed, and it was not told yet that it is where the others are. */
export interface TopicsAdded {
  /** Topics that it had asked for before any of the changes: it may never have lacked them. */
  readonly wasThere: (topic: string) => boolean
  /** Topics that it had not asked for all the time. */
  readonly isNew: (topic: string) => boolean
  /** Topics of which it is owed the last event at least. */
  readonly isPromised: (topic: string) => boolean
  /** What it was given of them. */
  readonly seen: Map<string, Block>
}

/** The event before was the last of a topic, or may have been. */
export interface AwaitedMark {
  readonly topic: string
  readonly id: string | undefined
  /** The value of a state topic that it is. */
  readonly value?: StoredEvent
  /** Whether the mark must follow. Others may have come after a value, or an event without an id may be one of several. */
  readonly isSure: boolean
}

export interface LedgerTerms {
  readonly exactEviction: boolean
  /** The policy of the hub; that of the request wins. */
  readonly slowPolicy: SlowPolicy
  readonly maxReplayCount: number | false
  /** Whether values may be of a place before the ids, as they are for readers inside the process. */
  readonly valuesLag: boolean
  /** What was published to be heard by those who are there, by number. */
  readonly blips: ReadonlyMap<number, EventContent>
}
