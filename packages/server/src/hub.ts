import {
  formatEventId,
  parseEventId,
  encodeRetry,
  type EventId,
  type Position,
  type ReconnectReason,
} from '@millrace/protocol'
import { controlBlock } from './control-block.ts'
import { Engine } from './engine.ts'
import { farewell, sendAway } from './farewell.ts'
import type { StreamHandlerOptions } from './decide-stream.ts'
import { fetchHandler, type FetchHandler } from './fetch/fetch-handler.ts'
import { HubError } from './hub-error.ts'
import { resolveHubLimits, type HubLimits, type HubOptions } from './hub-options.ts'
import { InProcessReader, type ReceivedEvent, type ReceivedGap } from './in-process.ts'
import { LogError, type NewEvent } from './log.ts'
import { newEvent, type CheckedEvent, type EventMap, type PublishEvent } from './publish-event.ts'
import { readSelectors } from './read-subscribe-request.ts'
import { Reading } from './reading.ts'
import { shown } from './shown.ts'
import type { From, SubscribeRequest } from './subscribe-request.ts'
import type { Subscriber } from './subscriber.ts'
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
      /** For a while: the client should come again. */
      readonly kind: 'refused'
      readonly reason: ReconnectReason
      readonly retryAfterMs: number
      /** The stream to answer a client with that cannot read statuses. */
      readonly body: string
    }

export interface PublishResult {
  /** The ids of the events, in their order. */
  readonly ids: readonly EventId[]
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
  readonly after?: string | undefined
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
export interface Hub<Events extends EventMap = EventMap> {
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
  /** The web-standard handler for `GET` of the hub's streams: `export default { fetch: hub.fetchHandler({ authorize }) }`. */
  fetchHandler(options?: StreamHandlerOptions): FetchHandler
  /**
   * Reads events inside the process, at the reader's own pace; `now` is the time of the call. Ends when the signal is
   * aborted or the hub is closed.
   *
   * @throws HubError `invalid_request`
   */
  subscribe(options: SubscribeOptions): AsyncGenerator<ReceivedEvent<Events> | ReceivedGap, void, undefined>
  /** The open streams, in the order in which they were opened. */
  subscribers(): Iterable<Subscriber>
  /** Ends a stream; its client may come again. False when there is none of that name. */
  endConnection(connection: string, options?: EndOptions): boolean
  stats(): HubStats
  /** Says farewell to all streams over `drainMs`, then closes the backend. May be called twice. */
  close(options?: { drainMs?: number }): Promise<void>
}

/** Makes a hub. @throws HubError `invalid_option` */
export function createHub<Events extends EventMap = EventMap>(options: HubOptions): Hub<Events> {
  return new EngineHub(options) as Hub<Events>
}

class EngineHub implements Hub {
  readonly limits: HubLimits
  readonly #engine: Engine
  #closing: Promise<void> | undefined
  /** When the last streams are to be gone, by the hub's clock. */
  #drainEndMs = 0

  constructor(options: HubOptions) {
    this.limits = resolveHubLimits(options)
    this.#engine = new Engine(this.limits, options)
  }

  get size(): number {
    return this.#engine.subscribers.size
  }

  get lagMs(): number {
    return this.#engine.lagMs
  }

  ready(): Promise<void> {
    return this.#engine.ready
  }

  async publish(
    input: PublishEvent | readonly PublishEvent[],
    { publisher = '' }: PublishOptions = {},
  ): Promise<PublishResult> {
    const events = Array.isArray(input) ? (input as readonly PublishEvent[]) : [input as PublishEvent]
    const fresh = events.map((event) => builtEvent(newEvent(event, this.limits.maxEventBytes)))
    if (this.#closing) throw new HubError('closed', 'The hub is closing; nothing was published.')
    if (this.#engine.lagMs > this.limits.maxLagMs) {
      throw new HubError(
        'overloaded',
        `Delivery lags behind by ${Math.round(this.#engine.lagMs)} ms; nothing was published. Try again in a moment.`,
      )
    }
    try {
      const positions = await this.#engine.append(fresh, { publisher })
      return { ids: positions.map((position) => formatEventId(position)) }
    } catch (error) {
      throw publishError(error)
    }
  }

  async admit(request: SubscribeRequest): Promise<Admission> {
    if (this.#closing) return this.#refusal('draining')
    const engine = this.#engine
    if (!engine.isStarted && !(await engine.firstAttempt)) return this.#refusal('log_unavailable')
    if (this.#closing) return this.#refusal('draining')
    if (engine.lagMs > this.limits.maxLagMs) return this.#refusal('overloaded')
    const { lastEventId } = request
    const position = lastEventId ? parseEventId(lastEventId) : undefined
    const needsLog = lastEventId ? !(position && engine.window.contains(position)) : request.from === 'earliest'
    const isReadable = !needsLog || (await engine.canRead())
    if (this.#closing) return this.#refusal('draining')
    if (!isReadable) return this.#refusal('log_unavailable')
    const connection = engine.chance.token(16)
    return {
      kind: 'accepted',
      connection,
      open: (transport) => {
        const subscriber = engine.open(connection, request, transport, this.#reading(request, position))
        if (this.#closing) sendAway(engine, subscriber, Math.max(0, this.#drainEndMs - engine.clock.now()))
        return subscriber
      },
    }
  }

  fetchHandler(options?: StreamHandlerOptions): FetchHandler {
    return fetchHandler(this, options)
  }

  subscribe(options: SubscribeOptions): AsyncGenerator<ReceivedEvent | ReceivedGap, void, undefined> {
    const request: SubscribeRequest = {
      selectors: readSelectors(options.topics, this.limits.maxTopicsPerStream),
      types: options.types ?? [],
      from: fromOf(options.from),
      lastEventId: options.after,
      nameBy: 'type',
      envelope: false,
    }
    return new InProcessReader(this.#engine, request, options.signal).read()
  }

  subscribers(): Iterable<Subscriber> {
    return this.#engine.subscribers.values()
  }

  endConnection(connection: string, options: EndOptions = {}): boolean {
    const subscriber = this.#engine.subscribers.get(connection)
    if (!subscriber?.isOpen) return false
    subscriber.end('kicked', options.retryMs === undefined ? undefined : encodeRetry(options.retryMs))
    return true
  }

  stats(): HubStats {
    return this.#engine.stats()
  }

  close(options: { drainMs?: number } = {}): Promise<void> {
    return (this.#closing ??= this.#close(options.drainMs ?? this.limits.drainMs))
  }

  async #close(drainMs: number): Promise<void> {
    this.#drainEndMs = this.#engine.clock.now() + drainMs
    await farewell(this.#engine, drainMs)
    await this.#engine.close()
  }

  /** How a stream begins that does not simply start with what comes now. */
  #reading(request: SubscribeRequest, position: Position | undefined): Reading | undefined {
    const { lastEventId: clientId } = request
    if (clientId)
      return new Reading(position ?? 'unknown', { trusted: false, announce: true, clientId: clientId.slice(0, 128) })
    return request.from === 'earliest' ? new Reading('oldest', { trusted: false, announce: true }) : undefined
  }

  #refusal(reason: ReconnectReason): Admission {
    this.#engine.observer.onRefused?.(reason)
    const retryAfterMs = Math.round(this.limits.retryMs * (1 + this.#engine.chance.fraction()))
    const body = encodeRetry(retryAfterMs) + controlBlock('stream:reconnect', { reason })
    return { kind: 'refused', reason, retryAfterMs, body }
  }
}

function fromOf(from: From = 'now'): From {
  if (from === 'now' || from === 'earliest') return from
  throw new HubError('invalid_request', `from is ${shown(from)}; use 'now' or 'earliest'.`)
}

/** Refuses what is not built yet: it must not be stored as if it were an event like any other. */
function builtEvent({ event, ephemeral }: CheckedEvent): NewEvent {
  const name = ephemeral ? 'ephemeral' : (['except', 'end'] as const).find((field) => event[field] !== undefined)
  if (name === undefined) return event
  throw new HubError('invalid_event', `The field ${name} is not built yet. Leave it out.`)
}

/** What a publisher is told of a failed append; a fault that is not the log's own goes through as it is. */
function publishError(error: unknown): unknown {
  if (!(error instanceof LogError) || error.code === 'invalid') return error
  if (error.code === 'closed') {
    return new HubError('closed', 'The event log is closed; nothing was published.', { cause: error })
  }
  if (error.code === 'full') return new HubError('too_many', error.message, { cause: error })
  const message = 'The event log is away; nothing is known to be stored. Try again.'
  return new HubError('unavailable', message, { cause: error })
}
