import type { EventId, ReconnectReason } from '@millrace/protocol'
import { EngineHub } from './engine-hub.ts'
import type { StreamHandlerOptions } from './decide-stream.ts'
import type { FetchHandler } from './fetch/fetch-handler.ts'
import type { HubLimits, HubOptions } from './hub-options.ts'
import type { ReceivedEvent, ReceivedGap } from './in-process.ts'
import type { PollAnswer, PollOptions } from './poll.ts'
import type { EventMap, PublishEvent } from './publish-event.ts'
import type { From, SubscribeRequest } from './subscribe-request.ts'
import type { Subscriber } from './subscriber.ts'
import type { TopicsChange, TopicsChanged } from './topics-change.ts'
import type { Transport } from './transport.ts'

/** Whether a stream may be opened. */
export type Admission =
  | {
      readonly kind: 'accepted'
      /** Names the stream to come. */
      readonly connection: string
      /** Opens it on a transport whose response head is on its way. To be called once. */
      open(transport: Transport): Subscriber
    }
  | {
      /** All topics that are asked for are finished, and the client has had their ends: it need not come again. */
      readonly kind: 'finished'
    }
  | {
      /** For a while: the client should come again. */
      readonly kind: 'refused'
      readonly reason: ReconnectReason
      readonly retryAfterMs: number
      /** The stream to answer a client with that cannot read statuses. */
      readonly body: string
    }

export interface PublishResult {
  /** The ids of the events, in their order; null for ephemeral ones. */
  readonly ids: readonly (EventId | null)[]
}

export interface PublishOptions {
  /** Who publishes: two publishers with the same `dedupeKey` never meet. @default '' */
  readonly publisher?: string
}

export interface EndOptions {
  /** Sent before the end: how long the client stays away. Milliseconds. */
  readonly retryMs?: number
}

export interface SubscribeOptions {
  /** Topics and patterns. */
  readonly topics: readonly string[]
  /** Only events of these types. @default all */
  readonly types?: readonly string[]
  /** The id of the last event that the reader has; wins over `from`. */
  readonly after?: string | null | undefined
  /** @default 'now' */
  readonly from?: From
  readonly signal?: AbortSignal
}

export interface HubStats {
  readonly subscribers: number
  readonly live: number
  readonly catchingUp: number
  readonly audiences: number
  /** Entries in the index of audiences, waiting catch-ups, and log reads: all zero when everybody has left. */
  readonly indexEntries: number
  readonly pendingCatchUps: number
  readonly pendingReads: number
  readonly passes: number
  readonly hotWindowCount: number
  readonly hotWindowBytes: number
  readonly lagMs: number
  /** Whether the log is being followed. */
  readonly isFollowing: boolean
}

/**
 * Topics, an event log and the streams that follow it.
 *
 * Order: events are delivered in log order, to each subscriber each once.
 * Loss: a subscriber gets every matching event after its position, or `stream:sync-required` before anything newer.
 * Ending: after `close()` publishing rejects with {@link HubError} `closed` and new streams are refused.
 */
export interface Hub<Events extends object = EventMap> {
  readonly limits: HubLimits
  /** How many streams are open. */
  readonly size: number
  /** For how long the oldest event that is not written to everybody has been here. Milliseconds. */
  readonly lagMs: number
  /** Resolves when the log is followed; streams are refused for a while until then. Rejects when the hub is closed first. */
  ready(): Promise<void>
  /**
   * Stores one event or several, all or none, and resolves when they are as durable as the backend promises.
   *
   * @throws HubError `invalid_event`, `too_large`, `too_many`, `overloaded`, `unavailable`, `closed`
   */
  publish(
    events: PublishEvent<Events> | readonly PublishEvent<Events>[],
    options?: PublishOptions,
  ): Promise<PublishResult>
  /** Decides on a stream. The answer may be used later, even after the client has left. */
  admit(request: SubscribeRequest): Promise<Admission>
  /**
   * Answers at once what a stream would bring: for clients that poll. The request is admitted before, as for a stream.
   *
   * @throws HubError `unavailable`, `closed`, and `invalid_request` for a snapshot that is too large for one answer
   */
  poll(request: SubscribeRequest, options: PollOptions): Promise<PollAnswer>
  /** The web-standard handler for `GET` of the hub's streams: `export default { fetch: hub.fetchHandler({ authorize }) }`. */
  fetchHandler(options?: StreamHandlerOptions): FetchHandler
  /**
   * Reads events inside the process, at the reader's own pace; `now` is the time of the call. Ends when the signal is
   * aborted or the hub is closed.
   *
   * @throws HubError `invalid_request`
   */
  subscribe(options: SubscribeOptions): AsyncGenerator<ReceivedEvent<Events> | ReceivedGap, void, undefined>
  /**
   * Changes the topics of an open stream of this process, at the stream's own position: what it is sent next is of the
   * new topics, and `stream:topics` says when it is where the others are. Whether the topics are granted is for the
   * caller to know.
   */
  changeTopics(connection: string, change: TopicsChange): TopicsChanged
  /** The open streams, in the order in which they were opened. */
  subscribers(): Iterable<Subscriber>
  /** Ends a stream; its client may come again. False when there is none of that name. */
  endConnection(connection: string, options?: EndOptions): boolean
  stats(): HubStats
  /** Says farewell to all streams over `drainMs`, then closes the backend. May be called twice. */
  close(options?: { drainMs?: number }): Promise<void>
}

/** Makes a hub. @throws HubError `invalid_option` */
export function createHub<Events extends object = EventMap>(options: HubOptions): Hub<Events> {
  return new EngineHub(options) as Hub<Events>
}
