import type { Position, Selector } from '@millrace/protocol'
import type { Bounds, LogErrorCode, LogGapReason } from '@millrace/server'
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

/** What the worker starts with. */
export interface WorkerSettings {
  readonly path: string
  readonly rules: readonly ResolvedTopicRule[]
  readonly maxTopics: number
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

/** Events to store. All lists are equally long. */
export interface NewEventColumns {
  readonly topics: string[]
  readonly types: (string | undefined)[]
  readonly json: boolean[]
  readonly data: string[]
  /** Three characters for each event. */
  readonly checks: string
}

/** Events that are stored. All lists are equally long. */
export interface EventColumns {
  readonly seqs: number[]
  readonly timesMs: number[]
  readonly topics: string[]
  readonly types: (string | null)[]
  readonly json: boolean[]
  readonly data: string[]
  readonly checks: string
}

/** A place in the epoch that the log is in. */
export interface Place {
  readonly seq: number
  readonly check: string
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

export interface SnapshotAnswer {
  readonly at: Place
  readonly events: EventColumns
  readonly partial: boolean
}

/** What can be asked, by its name, and what the answer to it is. */
export interface Questions {
  append: { ask: { events: NewEventColumns; timeMs: number; times: Times }; answer: undefined }
  read: {
    ask: { after: Position | 'oldest'; selectors: readonly Selector[] | 'all'; maxCount: number; maxBytes: number }
    answer: PageAnswer | GapAnswer
  }
  /** What is kept after one place and up to another, of all topics, unjudged: for tails. */
  scan: { ask: { after: Place; to: Place; maxCount: number; maxBytes: number }; answer: PageAnswer }
  snapshot: { ask: { selectors: readonly Selector[] | 'all' }; answer: SnapshotAnswer }
  /** What is wrong with a position, evictions aside. */
  judge: { ask: { position: Position }; answer: LogGapReason | undefined }
  bounds: { ask: { times: Times }; answer: Pick<Bounds, 'oldest' | 'head'> }
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
