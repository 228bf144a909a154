import type { SyncReason } from '@millrace/protocol'
import type { ClientError } from '../client-error.ts'

/** How events come: as they happen, by requests that wait for some, or by requests now and then. */
export type Transport = 'stream' | 'long-polling' | 'polling'

/** An event as a feed hands it on. */
export interface FeedEvent {
  readonly type: string
  /** The text as it came. */
  readonly data: string
  /** Empty when the server named none. */
  readonly topic: string
  /** The id to resume from after this event; empty when there is none. */
  readonly id: string
}

/** Events were missed: what `stream:sync-required` says. */
export interface MissedNotice {
  readonly reason: SyncReason
  /** The id that could not be resumed from. */
  readonly from: string
  /** The id after which everything that is kept follows; empty when the server does not say. */
  readonly oldest: string
}

export type FeedStatus =
  /** A request is under way. `attempt` counts from 1, and again from 1 after each good connection. */
  | { readonly name: 'connecting'; readonly attempt: number }
  | { readonly name: 'open'; readonly transport: Transport }
  /** Between two attempts: the next one is `delayMs` after this change of status, at `atMs` (milliseconds since 1970). */
  | {
      readonly name: 'waiting'
      readonly attempt: number
      readonly delayMs: number
      readonly atMs: number
      readonly error: ClientError
    }
  /** The server says that nothing more will come. */
  | { readonly name: 'ended' }
  /** Given up: it would not mend by itself, or the budget is used up. */
  | { readonly name: 'failed'; readonly error: ClientError }
  | { readonly name: 'closed' }

/** A request for events that begins. */
export interface AttemptInfo {
  /** Counts from 1, and again from 1 after each good connection. */
  readonly attempt: number
  readonly transport: Transport
  /** Where it resumes from; empty for a start. */
  readonly lastId: string
}

/** What a feed tells of itself, for people. */
export interface FeedDiagnostics {
  /** Without tickets and what else `authorize` has added. */
  readonly url: string
  readonly transport: Transport
  /** Requests for events since the start. */
  readonly attempts: number
  /** Attempts that failed since the last good one. */
  readonly failures: number
  readonly lastError: ClientError | undefined
  /** The server's name for the connection, when there is one. */
  readonly connection: string | undefined
  /** The longest silence that the server has promised. Milliseconds. */
  readonly heartbeatMs: number | undefined
  /** The least delay before an attempt. Milliseconds. */
  readonly floorMs: number
  readonly topics: readonly string[]
  /** With `share`: whether this tab has the connection of all, or follows another one, or has one of its own. */
  readonly sharing?: 'leading' | 'following' | 'alone'
}

/**
 * Where the events of a set of topics come from: a connection of the stream's own, or one that it shares.
 *
 * Order: events go to the sink in the order of the stream, each once, over every reconnection and change of transport. A
 * feed resumes from `sink.resumeId()`, which it reads before each request.
 * Back-pressure: before it reads on and before each request a feed asks `sink.ready()`, and waits for what it returns. A feed
 * that cannot wait tells `missed`, with the reason `slow`, in the place of what it drops.
 * Ending: the status is `ended`, `failed` or `closed` last, and nothing is handed on after that. `close()` may be called
 * at any time and more than once; it leaves no timer, listener or connection behind.
 * Errors: no method throws.
 */
export interface EventFeed {
  /** Begins. Called once; nothing is handed on from within. */
  open(): void
  /**
   * Replaces the topics. Resolves when the server sends by them: on the open connection, or on the next one.
   * Rejects with a ClientError when the server refuses them (the old ones stay), and when the feed ends before.
   */
  setTopics(topics: readonly string[], from?: 'now' | 'snapshot'): Promise<void>
  /** The network is back, or somebody looks at the page: a good moment to try, or to see whether the connection lives. */
  wake(): void
  close(): void
  diagnostics(): FeedDiagnostics
}

/** Who takes what a feed brings. Whoever has closed the feed takes nothing more: `moved` and `missed` then do nothing. */
export interface FeedSink {
  /** The id of what was taken last; empty when there is none. */
  resumeId(): string
  event(event: FeedEvent): void
  /** The id has moved on, with no event. */
  moved(id: string): void
  /** Events are missing before what follows. Undefined as id: it comes with what follows. */
  missed(notice: MissedNotice, id: string | undefined): void
  /** A promise while nothing more is to come: too much waits to be taken, or the state is being fetched anew. */
  ready(): Promise<void> | undefined
  /** A request for events begins. */
  attempt(attempt: AttemptInfo): void
  status(status: FeedStatus): void
}
