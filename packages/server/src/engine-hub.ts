import {
  formatEventId,
  parseEventId,
  encodeRetry,
  isPattern,
  type EventId,
  type Position,
  type ReconnectReason,
  type Selector,
  type Topic,
} from '@millrace/protocol'
import { BackendError } from './backend-error.ts'
import { controlBlock } from './control-block.ts'
import { Engine } from './engine.ts'
import { farewell, sendAway } from './farewell.ts'
import type { StreamHandlerOptions } from './decide-stream.ts'
import { fetchHandler, type FetchHandler } from './fetch/fetch-handler.ts'
import { HubError } from './hub-error.ts'
import { resolveHubLimits, type HubLimits, type HubOptions } from './hub-options.ts'
import { InProcessReader, type ReceivedEvent, type ReceivedGap } from './in-process.ts'
import { LogError, type AppendOptions } from './log.ts'
import { observedPoll } from './observed-poll.ts'
import type { PollAnswer, PollOptions } from './poll.ts'
import { newEvent, type CheckedEvent, type PublishEvent } from './publish-event.ts'
import { readSelectors } from './read-subscribe-request.ts'
import { Reading, WHOLE_SNAPSHOT } from './reading.ts'
import { shown } from './shown.ts'
import type { From, SubscribeRequest } from './subscribe-request.ts'
import type { Subscriber } from './subscriber.ts'
import type { TopicsChange, TopicsChanged } from './topics-change.ts'
import type { Admission, EndOptions, Hub, HubStats, PublishOptions, PublishResult, SubscribeOptions } from './hub.ts'

/** As much of an id that is no good as is told back. Characters. */
const MAX_SHOWN = 128

/** A hub on an engine. */
export class EngineHub implements Hub {
  readonly limits: HubLimits
  readonly #engine: Engine
  #closing: Promise<void> | undefined
  /** When the last streams are to be gone, by the hub's clock. */
  #drainEndMs = 0

  constructor(options: HubOptions) {
    this.limits = resolveHubLimits(options)
    // Plain JavaScript may leave it out.
    if ((options.backend as unknown) === undefined) {
      throw new HubError('invalid_option', 'A hub needs a backend: createHub({ backend: memory() }).')
    }
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
    const fresh = events.map((event) => newEvent(event, this.limits.maxEventBytes))
    if (this.#closing) throw new HubError('closed', 'The hub is closing; nothing was published.')
    if (this.#engine.lagMs > this.limits.maxLagMs) {
      throw new HubError(
        'overloaded',
        `Delivery lags behind by ${Math.round(this.#engine.lagMs)} ms; nothing was published. Try again in a moment.`,
      )
    }
    try {
      return { ids: await this.#store(fresh, { publisher }) }
    } catch (error) {
      throw publishError(error)
    }
  }

  /** Stores what is to be kept, then sends the rest: nothing is sent when nothing could be stored. */
  async #store(events: readonly CheckedEvent[], options: AppendOptions): Promise<(EventId | null)[]> {
    const kept = events.filter(({ ephemeral }) => !ephemeral).map(({ event }) => event)
    const positions = kept.length > 0 ? [...(await this.#engine.append(kept, options))] : []
    for (const { event, ephemeral } of events) if (ephemeral) await this.#engine.send(event)
    return events.map(({ ephemeral }) => {
      const position = ephemeral ? undefined : positions.shift()
      return position ? formatEventId(position) : null
    })
  }

  async admit(request: SubscribeRequest): Promise<Admission> {
    if (this.#closing) return this.#refusal('draining')
    const engine = this.#engine
    if (!engine.isStarted && !(await engine.firstAttempt)) return this.#refusal('log_unavailable')
    if (this.#closing) return this.#refusal('draining')
    if (engine.lagMs > this.limits.maxLagMs) return this.#refusal('overloaded')
    const { lastEventId } = request
    const position = lastEventId ? parseEventId(lastEventId) : undefined
    const needsLog = lastEventId ? !(position && engine.window.contains(position)) : request.from !== 'now'
    const isReadable = !needsLog || (await engine.canRead())
    if (this.#closing) return this.#refusal('draining')
    if (!isReadable) return this.#refusal('log_unavailable')
    if (position && this.#hasEnded(request, position)) return { kind: 'finished' }
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

  poll(request: SubscribeRequest, options: PollOptions): Promise<PollAnswer> {
    return observedPoll(this.#engine, request, options)
  }

  subscribe(options: SubscribeOptions): AsyncGenerator<ReceivedEvent | ReceivedGap, void, undefined> {
    const request: SubscribeRequest = {
      selectors: readSelectors(options.topics, this.limits.maxTopicsPerStream),
      types: options.types ?? [],
      from: fromOf(options.from),
      lastEventId: options.after ?? undefined,
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

  changeTopics(connection: string, change: TopicsChange): TopicsChanged {
    const subscriber = this.#engine.subscribers.get(connection)
    if (!subscriber?.isOpen) return { kind: 'gone' }
    if (!subscriber.isOwnedBy(change.owner)) return { kind: 'not-owner' }
    const { revision } = subscriber
    const isRepeated = change.revision === revision && isSame(change.selectors, subscriber.request.selectors)
    if (isRepeated) return { kind: 'changed' }
    if (change.revision <= revision) return { kind: 'stale', revision }
    this.#engine.changeTopics(subscriber, change)
    return { kind: 'changed' }
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
    const options = { trusted: false, announce: true, maxReplayCount: this.limits.maxReplayCount }
    if (clientId) return new Reading(position ?? 'unknown', { ...options, clientId: clientId.slice(0, MAX_SHOWN) })
    if (request.from === 'now') return undefined
    return new Reading(request.from === 'earliest' ? 'oldest' : WHOLE_SNAPSHOT, options)
  }

  /** Whether the client has had the ends of all topics that it asks for. */
  #hasEnded({ selectors }: SubscribeRequest, position: Position): boolean {
    const { standing, flusher, window } = this.#engine
    const { end: passEnd } = flusher
    // What has come since the newest pass may have opened a topic again.
    const isPassed = position.epoch === passEnd.epoch && position.seq <= passEnd.seq
    if (selectors.some(isPattern) || !standing.isReady(passEnd) || !isPassed) return false
    // A selector that is no pattern is a topic.
    const topics = selectors as readonly string[] as readonly Topic[]
    const ends = topics.map((topic) => standing.finished.endOf(topic, position))
    const isTrue =
      window.contains(position) || ends.some((end) => end?.check === position.check && end.seq === position.seq)
    return isTrue && ends.every((end) => end !== undefined)
  }

  #refusal(reason: ReconnectReason): Admission {
    this.#engine.observer.onRefused?.(reason)
    const retryAfterMs = Math.round(this.limits.retryMs * (1 + this.#engine.chance.fraction()))
    const body = encodeRetry(retryAfterMs) + controlBlock('stream:reconnect', { reason })
    return { kind: 'refused', reason, retryAfterMs, body }
  }
}

function isSame(one: readonly Selector[], other: readonly Selector[]): boolean {
  return one.length === other.length && one.every((selector) => other.includes(selector))
}

function fromOf(from: From = 'now'): From {
  if (from === 'now' || from === 'snapshot' || from === 'earliest') return from
  throw new HubError('invalid_request', `from is ${shown(from)}; use 'now', 'snapshot' or 'earliest'.`)
}

/** What a publisher is told of a failed append; a fault that is not the log's own goes through as it is. */
function publishError(error: unknown): unknown {
  if (error instanceof BackendError) return busError(error)
  if (!(error instanceof LogError) || error.code === 'invalid') return error
  if (error.code === 'closed') {
    return new HubError('closed', 'The event log is closed; nothing was published.', { cause: error })
  }
  if (error.code === 'full') return new HubError('too_many', error.message, { cause: error })
  const message = 'The event log is away, and the log of the hub says why; nothing is known to be stored. Try again.'
  return new HubError('unavailable', message, { cause: error })
}

function busError(error: BackendError): HubError {
  if (error.code === 'closed')
    return new HubError('closed', 'The bus is closed; ephemeral events were not sent.', { cause: error })
  return new HubError('unavailable', 'The bus is away; ephemeral events may not have been sent. Try again.', {
    cause: error,
  })
}
