import type { Position, Selector, Topic } from '@millrace/protocol'

/** What is said of an event. `data` is the text that goes into the `data` field. */
export interface EventContent {
  readonly topic: Topic
  /** The SSE event type; left out means `message`. */
  readonly type?: string
  readonly data: string
  /** True when `data` is JSON text of a published value that was not a string. */
  readonly json?: true
  /**
   * Which value of a state topic this is the newest of; left out means the topic's only one, whose key is `''`. In a log
   * topic it has no meaning, and is kept as it came.
   */
  readonly key?: string
  /** The `client` name that is not sent this event. */
  readonly except?: string
  /** The topic is finished after this event, until the next event opens it again. */
  readonly end?: true
}

/** An event that is not stored yet. */
export interface NewEvent extends EventContent {
  /** Not stored again when its publisher has stored an event with this key within the log's `dedupeWindowMs`. */
  readonly dedupeKey?: string
}

/** An event as the log keeps it. It never changes; whoever reads it must not write to it. */
export interface StoredEvent extends EventContent {
  readonly position: Position
  /** Milliseconds since 1970. Never falls from one event to the next, whatever the clock does. */
  readonly timeMs: number
}

export interface LogGuarantees {
  /** Appended events outlive the process. */
  readonly durable: boolean
  /** Several processes may use one log at once. */
  readonly shared: boolean
  /** An append of several events is stored whole or not at all. */
  readonly atomicBatch: boolean
  /**
   * `too_old` is answered exactly when a matching event was evicted, not merely when one may have been. A log that had
   * to forget topics (see {@link Snapshot.partial}) may answer it for those too.
   */
  readonly exactEviction: boolean
}

export interface ReadQuery {
  /**
   * Where to go on: the position of the last event that the reader has. `'oldest'` starts where all events that match
   * and came since are kept: at the oldest event kept, or after the newest evicted one that matches, if that is later
   * (retention goes by topic, so the log can have holes).
   */
  readonly after: Position | 'oldest'
  /** What to return: events whose topic matches any of these. `'all'` is every topic, users' own included. */
  readonly selectors: readonly Selector[] | 'all'
  /** At most this many events. Integer, at least 1. */
  readonly maxCount: number
  /** At most this many bytes of `data` (UTF-8, estimates allowed), but always at least one event. */
  readonly maxBytes: number
}

export interface Page {
  readonly kind: 'page'
  /** Matching events, oldest first. May be empty before the head: a log may bound the work of one read. */
  readonly events: readonly StoredEvent[]
  /**
   * Each matching event in (`after`, `scannedTo`] is in `events`, and no other. Read on after it. Later than `after`,
   * unless that is the head.
   */
  readonly scannedTo: Position
  /** The head at the time of the read. `scannedTo` equals it when everything was looked at. */
  readonly head: Position
}

/** Why reading cannot go on from a position without a loss. */
export type LogGapReason = 'too_old' | 'epoch_changed' | 'ahead'

export interface Gap {
  readonly kind: 'gap'
  readonly reason: LogGapReason
  /** Where a read of these selectors from `'oldest'` starts: reading after it is no gap, as long as nothing is evicted. */
  readonly oldest: Position
  readonly head: Position
}

export interface Bounds {
  readonly epoch: string
  /** The position just before the oldest event kept, of whatever log topic; the head when none is. */
  readonly oldest: Position
  /** The position of the newest event ever appended in this epoch; seq 0 when there was none. */
  readonly head: Position
}

export interface AppendOptions {
  /** Whose `dedupeKey`s these are: two publishers never meet. @default '' */
  readonly publisher?: string
}

/**
 * What a snapshot is of:
 * - `log`: the last event of each log topic.
 * - `state`: the newest value of each key of each state topic.
 * - `ended`: the last event of each topic, of either kind, whose last event has `end`.
 */
export type SnapshotKind = 'log' | 'state' | 'ended'

/** Where a snapshot that came in pages goes on. To be given back as it came. */
export interface SnapshotCursor {
  /** The position that the whole snapshot is of. */
  readonly at: Position
  /** Everything up to here was returned. */
  readonly afterSeq: number
}

export interface SnapshotOptions {
  /** @default 'log' */
  readonly of?: SnapshotKind
  /** Goes on with a snapshot: the `next` of its page before. @default a new one, of now */
  readonly cursor?: SnapshotCursor
  /** At most this many events in this page. Integer, at least 1. @default all */
  readonly maxCount?: number
  /** At most this many bytes of `data` (UTF-8, estimates allowed), but always at least one event. @default all */
  readonly maxBytes?: number
}

export interface Snapshot {
  /**
   * The position that the snapshot is of: it holds nothing newer, and reading after it misses nothing. The same in all
   * its pages.
   */
  readonly at: Position
  /**
   * Oldest first, over all pages. Retention does not touch them. What was replaced by something after `at` before its
   * page was read is left out: the tail brings its successor.
   */
  readonly events: readonly StoredEvent[]
  /** There is more: read on with this. Left out on the last page. A page may be empty. */
  readonly next?: SnapshotCursor
  /** True when a topic that matches may be missing, because the log had to forget topics (its `maxTopics`). */
  readonly partial: boolean
}

export interface RecentLimits {
  /** At most this many events. Integer, at least 1. */
  readonly maxCount: number
  /** At most this many bytes of `data` (UTF-8, estimates allowed). Integer, at least 1. */
  readonly maxBytes: number
}

/** The newest part of a log. */
export interface Recent {
  /** The position that the first of the events follows; the head when there are none. */
  readonly after: Position
  /** Of all topics of either kind, one `seq` after the other, oldest first; the last one is the head's. */
  readonly events: readonly StoredEvent[]
}

/**
 * Is told what a tail finds. Methods may be called before the promise of `tail` has resolved, never from within `tail`
 * or `append`. They must neither throw nor reject: that ends the tail with an unhandled rejection.
 */
export interface TailListener {
  /**
   * Events in log order, each exactly once, never an empty list. The log hands over nothing more until the
   * returned promise settles: that is the back-pressure. Where retention overtakes a slow listener the `seq` jumps:
   * what is missing was evicted, or can be read.
   */
  onEvents(events: readonly StoredEvent[]): void | Promise<void>
  /** The log began a new epoch. What was handed over before has no successor; the tail goes on after `head`. */
  onEpoch(head: Position): void
  /**
   * The tail cannot be followed for now. It goes on by itself, from the last event handed over; but after a `closed` never: the log
   * has come to an end that nobody asked for.
   */
  onInterrupted(error: LogError): void
  /** The tail is being followed again. */
  onResumed(): void
}

export interface Tail {
  /** The first event handed over is the one after this position. */
  readonly start: Position
  /**
   * Stops the tail. No listener method is called after it was called; one that is running is not waited for, so that
   * it may be called from within. May be called twice.
   */
  close(): Promise<void>
}

/**
 * Keeps published events in order so that a returning client can catch up: the only source of what is delivered.
 *
 * Order: `append` calls take effect in call order; `seq` is dense and rises by one for each event of an epoch; the
 * first event of a log has seq 1, and seq 0 stands for "before the first".
 * Concurrency: any method may be called while others are pending.
 * Durability: as `guarantees` says, once the promise of `append` resolves.
 * Visibility: an event can be read, and is handed to every tail, once its append has resolved or just before.
 * Ownership: what is given to `append` may be changed after the call. Lists that are returned belong to the caller.
 * Retention: evicts oldest events first within each rule, hence within each topic, at any time, in any method or in
 * none; even events just stored, if they break a limit by themselves. The last event of each log topic and the newest
 * value of each key of a state topic stay available to `snapshot`. A clock that steps does not make `timeMs` fall.
 * State topics: which topics are of kind `state` is set by the log's rules. Their events are ordered with all others and
 * handed to tails, but nobody is owed their past: `read` leaves them out, and their eviction is no gap. The newest value
 * of each key is kept, for tails too, and counts towards no limit of its rule. Superseded values are kept within the
 * limits of their rule and are evicted in the order in which they were stored, or superseded; so is their age counted.
 * The keys of all state topics together are bounded (the log's `maxStateKeys`): an append with a key beyond it stores
 * nothing and rejects with `full`; no key is ever forgotten.
 * Dedupe: see `append`. What is remembered for it outlives the process where the log is durable, and is bounded (the
 * log's `maxDedupeKeys`): an append beyond it stores nothing and rejects with `full`.
 * Errors: methods reject with {@link LogError}. Whoever calls sets no time limit: a log that cannot answer within seconds
 * rejects with `unavailable`. After `close()` every method rejects with code `closed`.
 */
export interface EventLog {
  readonly guarantees: LogGuarantees
  /**
   * Stores the events, all or none, one after the other, and returns their positions in the same order. An empty list
   * stores nothing. Rejects with `invalid` for an event without a topic, whose data is not a string, or of which another
   * field is not of its type.
   *
   * An event whose `dedupeKey` the same publisher has stored within `dedupeWindowMs` (from the time of storing, by the
   * clock that ages go by) is not stored again: its position is that of the first one, in the log's present epoch. So it
   * is for a second one inside the list. The others of the list are stored.
   */
  append(events: readonly NewEvent[], options?: AppendOptions): Promise<readonly Position[]>
  /**
   * Reads on from a position, oldest first. A position is judged in this order: another epoch than the log's gives
   * the gap `epoch_changed`; beyond the head `ahead`; a `check` that differs from the log's `epoch_changed`, where the
   * log has it: of the events kept, the head, `oldest` and seq 0; an evicted event after it that matches the selectors
   * `too_old`. Otherwise a page. `'oldest'` never gives a gap. Events of state topics are left out, as if no selector
   * matched them.
   */
  read(query: ReadQuery): Promise<Page | Gap>
  /**
   * The last events of the topics that match, or the newest values. Without `maxCount` and `maxBytes` it is one page.
   * Rejects with `invalid` for a cursor of another epoch: begin anew.
   */
  snapshot(selectors: readonly Selector[] | 'all', options?: SnapshotOptions): Promise<Snapshot>
  /**
   * The newest events, as far back as the limits allow and no event is missing: with what a hub that starts fills its
   * memory. May be fewer than the limits allow by one, and none where the head's event is not kept.
   */
  recent(limits: RecentLimits): Promise<Recent>
  /**
   * Follows the log: everything after the position that is kept or comes. Rejects with `invalid` for a position that
   * `read` would answer with `epoch_changed` or `ahead`.
   */
  tail(after: Position | 'head', listener: TailListener): Promise<Tail>
  bounds(): Promise<Bounds>
  /** Ends all tails and releases what the log holds. May be called twice. */
  close(): Promise<void>
}

/**
 * - `closed`: the log was closed; final.
 * - `unavailable`: the backend is away; nothing was stored, try again later.
 * - `invalid`: an argument breaks the contract.
 * - `full`: a bound of the log is reached (state keys, dedupe keys); nothing was stored. The message says which, and
 *   `passes` whether waiting helps.
 */
export type LogErrorCode = 'closed' | 'unavailable' | 'invalid' | 'full'

export interface LogErrorOptions extends ErrorOptions {
  /** Of `full`: whether time makes room, as it does for dedupe keys; a state key is never forgotten. @default false */
  readonly passes?: boolean
}

export class LogError extends Error {
  override readonly name = 'LogError'
  readonly code: LogErrorCode
  readonly passes: boolean
  constructor(code: LogErrorCode, message: string, { passes = false, ...options }: LogErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.passes = passes
  }
}
