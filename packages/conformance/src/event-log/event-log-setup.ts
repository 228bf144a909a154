import type { EventLog, LogGuarantees, TopicRule } from '@millrace/server'

/** How the log of a case is to be made. */
export interface EventLogOptions {
  /** Left out: whatever keeps the few events of a case. */
  readonly topics?: readonly TopicRule[]
  readonly maxTopics?: number
  readonly maxStateKeys?: number
  readonly dedupeWindowMs?: number
  readonly maxDedupeKeys?: number
}

/** A log under test, empty at first, and what makes things happen to it. */
export interface EventLogHandle {
  readonly log: EventLog
  /** Moves all of the log's clocks on. Milliseconds, above 0. */
  advanceClock?(ms: number): void | Promise<void>
  /** Sets the wall clock forward (or back, below 0) as an operator does; no time goes by. Milliseconds. */
  stepWallClock?(ms: number): void | Promise<void>
  /** Resolves when everything that breaks a limit now is evicted. Left out: any method of the log sees to that. */
  settle?(): Promise<void>
  /** Takes the backend away: until `resume`, appends reject and tails stand still. */
  interrupt?(): void | Promise<void>
  resume?(): void | Promise<void>
  /** Makes the log begin a new epoch, such as after the loss of a suffix. Resolves when it has. */
  beginEpoch?(): Promise<void>
}

/** What not every log has, or lets a test do. */
export type EventLogFeature =
  | 'advanceClock'
  | 'stepWallClock'
  | 'maxTopics'
  | 'maxStateKeys'
  | 'dedupeWindow'
  | 'interruption'
  | 'newEpoch'

/** An implementation of `EventLog`, presented to the suite. */
export interface EventLogSetup {
  /** Used in messages, such as `memory`. */
  readonly name: string
  /** What its logs must promise. */
  readonly guarantees: LogGuarantees
  /** Makes an empty log that shares nothing with any other. The suite closes it. */
  create(options: EventLogOptions): Promise<EventLogHandle>
  /** Features that its logs do not have, each with the reason; their cases become exceptions. @default none */
  readonly exceptions?: Partial<Readonly<Record<EventLogFeature, string>>>
  /**
   * Cases, by their whole name, that its logs do not meet yet, each with the reason. A name that no case has is an error,
   * so that none stays here when it is met. @default none
   */
  readonly notMet?: Readonly<Record<string, string>>
  /** How long a case waits for something that must happen. Milliseconds, 1 or more. @default 5000 */
  readonly timeoutMs?: number
  /** Runs of the model-based cases, each with a seed of its own. 1 or more. @default 20 */
  readonly modelRunCount?: number
}
