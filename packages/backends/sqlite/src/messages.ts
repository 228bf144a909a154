import type { Position, Selector } from '@millrace/protocol'
import type { Bounds, LogErrorCode, LogGapReason, SnapshotKind } from '@millrace/server'
import type { ResolvedTopicRule } from '@millrace/server/log-parts'
import type { Durability } from './sqlite-options.ts'
import type { SqliteErrorCode } from './sqlite-error.ts'

// What the thread of the log's user and the thread of its file say to each other. Events go by columns: a page is then
// cloned as a few flat lists, at a quarter of the price of one object for each event.

/** The two clocks of the log's user, in milliseconds. The worker has none of its own. */
export interface Times {
  /** By `Clock.now`. */
  readonly nowMs: number
  /** By `Clock.time`. */
  readonly wallMs: number
}

/** What the backend is bounded by, besides the retention of its rules. */
export interface Bounded {
  readonly maxTopics: number
  readonly maxStateKeys: number
  readonly dedupeWindowMs: number
  readonly maxDedupeKeys: number
  /** Of the registry. */
  readonly maxEntries: number
}

/** What the worker starts with. */
export interface WorkerSettings {
  readonly path: string
  readonly rules: readonly ResolvedTopicRule[]
  readonly bounds: Bounded
  readonly durability: Durability
  readonly bootId: string | undefined
  readonly times: Times
  /** Used when the log is new, or has to begin a new epoch. */
  readonly newEpoch: string
  readonly originCheck: string
  /** The most pages of 4096 bytes that the file may have: stands for a full disk in tests. */
  readonly maxPageCount: number | undefined
}

/** What the worker found, or why it could not open the file. */
export type OpenAnswer =
  | { readonly kind: 'open'; readonly head: Position; readonly timeMs: number }
  | { readonly kind: 'refused'; readonly code: SqliteErrorCode; readonly message: string }

/** What few events have, and which event of the list it is. */
export interface EventExtra {
  readonly at: number
  readonly key?: string
  readonly except?: string
  readonly end?: true
}

export interface NewEventExtra extends EventExtra {
  readonly dedupeKey?: string
}

/** Events to store. All lists but `extras` are equally long. */
export interface NewEventColumns {
  readonly topics: string[]
  readonly types: (string | undefined)[]
  readonly json: boolean[]
  readonly data: string[]
  /** Three characters for each event. */
  readonly checks: string
  readonly extras: NewEventExtra[]
}

/** Events that are stored. All lists but `extras` are equally long. */
export interface EventColumns {
  readonly seqs: number[]
  readonly timesMs: number[]
  readonly topics: string[]
  readonly types: (string | null)[]
  readonly json: boolean[]
  readonly data: string[]
  readonly checks: string
  readonly extras: EventExtra[]
}

/** A place in the epoch that the log is in. */
export interface Place {
  readonly seq: number
  readonly check: string
}

/** Appends that are stored in one transaction. */
export interface AppendGroup {
  readonly events: NewEventColumns
  /** How many of the events belong to each append. */
  readonly counts: number[]
  /** Whose each append is; empty when all are of the publisher `''`. */
  readonly publishers: string[]
}

/** What became of a group of which not everything was stored. Its other events are stored one after the other. */
export interface AppendOutcome {
  /** Events, by their place in the group, that had been stored before: there. */
  readonly duplicates: readonly { readonly at: number; readonly place: Place }[]
  /** Appends, by their place in the group, of which nothing was stored because a bound is reached; `passes`: for now. */
  readonly refused: readonly { readonly append: number; readonly message: string; readonly passes: boolean }[]
}

export interface PageAnswer {
  readonly kind: 'page'
  readonly events: EventColumns
  readonly scannedTo: Place
  readonly head: Place
}

export interface GapAnswer {
  readonly kind: 'gap'
  readonly reason: LogGapReason
  readonly oldest: Place
  readonly head: Place
}

export interface SnapshotAsk {
  readonly selectors: readonly Selector[] | 'all'
  readonly of: SnapshotKind
  /** Undefined: a new snapshot. */
  readonly cursor: { readonly at: Place; readonly afterSeq: number } | undefined
  readonly maxCount: number
  readonly maxBytes: number
}

export interface SnapshotAnswer {
  readonly at: Place
  readonly events: EventColumns
  readonly partial: boolean
  /** Everything up to here was returned, and there may be more. */
  readonly nextAfterSeq: number | undefined
}

/** One call of the registry. */
export type RegistryAsk = { readonly times: Times } & (
  | { readonly call: 'put'; readonly key: string; readonly value: string; readonly ttlMs: number }
  | { readonly call: 'take' | 'get'; readonly key: string }
  | { readonly call: 'list'; readonly prefix: string }
)

/** `refused`: the bound is reached, and nothing was stored. `entries`: keys and values in turn. */
export interface RegistryAnswer {
  readonly value?: string
  readonly entries?: string[]
  readonly refused?: string
}

/** What can be asked, by its name, and what the answer to it is. */
export interface Questions {
  append: { ask: AppendGroup & { timeMs: number; times: Times }; answer: AppendOutcome | undefined }
  read: {
    ask: { after: Position | 'oldest'; selectors: readonly Selector[] | 'all'; maxCount: number; maxBytes: number }
    answer: PageAnswer | GapAnswer
  }
  /** What is kept after one place and up to another, of all topics, unjudged: for tails. */
  scan: { ask: { after: Place; to: Place; maxCount: number; maxBytes: number }; answer: PageAnswer }
  snapshot: { ask: SnapshotAsk; answer: SnapshotAnswer }
  /** What is wrong with a position, evictions aside. */
  judge: { ask: { position: Position }; answer: LogGapReason | undefined }
  bounds: { ask: { times: Times }; answer: Pick<Bounds, 'oldest' | 'head'> }
  registry: { ask: RegistryAsk; answer: RegistryAnswer }
  /** Time went by: looks for the file, and for what has aged. */
  tick: { ask: { times: Times }; answer: undefined }
  /** Resolves when nothing breaks a limit any more. */
  evict: { ask: { times: Times }; answer: undefined }
  close: { ask: { times: Times }; answer: undefined }
}

export type QuestionKind = keyof Questions

export type Question = {
  [K in QuestionKind]: { readonly id: number; readonly kind: K; readonly ask: Questions[K]['ask'] }
}[QuestionKind]

/** What the worker says: answers, and that the file has gone or has come back. */
export type Reply =
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Questions[QuestionKind]['answer'] }
  | { readonly kind: 'fault'; readonly id: number; readonly code: LogErrorCode; readonly message: string }
  | { readonly kind: 'away'; readonly message: string }
  | { readonly kind: 'back' }
