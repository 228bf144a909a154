import type { EventMap, HandlerType, HandlerArgument, StreamEvent } from './event-map.ts'
import type { FeedDiagnostics } from './event-feed.ts'
import type { StreamStatus } from './stream-status.ts'

/** What a stream tells of itself, for people and bug reports. */
export interface StreamDiagnostics extends FeedDiagnostics {
  readonly status: StreamStatus
  /** The last id whose event everybody has had: where the stream resumes after a reload. */
  readonly lastId: string
  /** The last id that has come: where it resumes from after a disconnect. */
  readonly receivedId: string
  /** Events that wait to be taken. */
  readonly queuedCount: number
  /** Events that have come. */
  readonly eventCount: number
  /** How often events were missed. */
  readonly missedCount: number
}

export interface TopicChangeOptions {
  /** `'snapshot'`: the last event of each new topic comes first, where the server can change an open stream. @default 'now' */
  readonly from?: 'now' | 'snapshot' | undefined
}

/**
 * What every stream has, whatever its events are: for code that shows where any stream stands, changes its topics, or ends it.
 * Each `EventStream<…>` is one; with event maps that differ they are not each other's.
 */
export interface AnyStream extends AsyncIterable<StreamEvent> {
  /** The same object until it changes. */
  readonly status: StreamStatus
  readonly topics: readonly string[]
  /** The last id whose event everybody has had; empty when there is none. */
  readonly lastId: string
  /** Calls `listener` after each change of `status`. Returns what stops it. */
  onStatus(listener: (status: StreamStatus) => void): () => void
  /**
   * Replaces the topics, on the open connection where the server can. Resolves when the server sends by them; rejects with
   * a ClientError when it refuses, and the old ones stay.
   */
  setTopics(topics: readonly string[], options?: TopicChangeOptions): Promise<void>
  addTopics(topics: readonly string[], options?: TopicChangeOptions): Promise<void>
  removeTopics(topics: readonly string[]): Promise<void>
  diagnostics(): StreamDiagnostics
  /** Ends the stream for good. May be called twice. An event that a handler or a loop has in hand is not done with: `lastId` is before it. */
  close(): void
}

/**
 * Events of some topics, as long as they are wanted.
 *
 * Order: handlers and readers get the events in the order of the stream, each once, over reconnections and changes of
 * transport. Handlers are called as events come; a reader (`for await`) goes at its own pace.
 * Waiting: events wait for the first handler or reader. What a reader has not taken yet waits too, where nobody has been a handler also
 * between two loops;
 * when more than `maxQueueCount` wait the connection is not read on, so that the server sees a slow client.
 * Ending: iteration ends when the server says that all is finished and after `close()`, at once; it throws the
 * ClientError when the stream has given up.
 * Errors: what a handler throws goes to `onError` and stops nobody else.
 */
export interface EventStream<Events extends object = EventMap> extends AnyStream {
  /** Calls `handler` for each event of a type; `*` stands for all types. Returns what stops it. */
  on<T extends HandlerType<Events>>(type: T, handler: (event: HandlerArgument<Events, T>) => void): () => void
  [Symbol.asyncIterator](): AsyncIterator<StreamEvent<Events>, undefined>
}
