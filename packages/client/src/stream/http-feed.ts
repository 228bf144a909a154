// Over 300 lines: one loop makes the attempts, and what it has learned from one decides on the next.
import type { ParsedEvent } from '@millrace/protocol'
import { ClientError } from '../client-error.ts'
import { errorOf, statusError } from './attempt-error.ts'
import { closedError, gaveUp, stopped, verdictOf, waitable, type Outcome } from './attempt-outcome.ts'
import type { EventFeed, FeedDiagnostics, FeedSink, FeedStatus } from './event-feed.ts'
import { FeedAttempt } from './feed-attempt.ts'
import { askFor, feedRequest, type Asked } from './feed-request.ts'
import type { Access, FeedSettings } from './feed-settings.ts'
import { Pause } from './pause.ts'
import { pollOnce, polledEvent } from './poll-once.ts'
import { LEAST_DELAY_MS, needsRenewal } from './retry-policy.ts'
import { missedNotice, readObject, ServerState } from './server-state.ts'
import { streamOnce, type StreamHost } from './stream-once.ts'
import { TopicChanges } from './topic-changes.ts'
import { firstChoice, nextChoice, type TransportChoice } from './transport-choice.ts'

/** Longer reconnection times than an hour are a mistake, or an attack. Milliseconds. */
const MAX_RETRY_MS = 3_600_000
/** There is probably more where so many events came from. */
const FULL_ANSWER_COUNT = 100
/** A hub breaks every silence within `heartbeatMs`; a bit more than two of them missing is no accident. */
const SILENT_HEARTBEATS = 2.5

/** What a hub's heartbeat is until it says so. Milliseconds. */
const HUB_HEARTBEAT_MS = 15_000

/**
 * The events of one URL, by a stream or by polls, over whatever happens to its connections.
 *
 * One loop makes the attempts, one after the other, so there are never two at once; between two there is always a wait.
 */
export class HttpFeed implements EventFeed, StreamHost {
  readonly settings: FeedSettings
  readonly sink: FeedSink
  readonly #topics: TopicChanges
  readonly #pause: Pause
  readonly #server: ServerState
  #choice: TransportChoice
  #isOpen = false
  #isOver = false
  #attempt: FeedAttempt | undefined
  #access: Access = {}
  #pendingAccess: Promise<Access> | undefined
  #attempts = 0
  #failures = 0
  #goodAtMs: number
  #wasGood = false
  /** Credentials were refused since the last good connection: once is an expired token, twice is an answer. */
  #isRefused = false
  #lastError: ClientError | undefined
  /** The revision of the topics that the attempt asks for. */
  #sentRevision = 0
  #isPutting = false
  /** The last attempt was a poll: the next one needs only the state values that are new. */
  #hasState = false

  constructor(settings: FeedSettings, sink: FeedSink) {
    const { transport, streamRetryMs, clock, topics } = settings
    this.settings = settings
    this.sink = sink
    this.#topics = new TopicChanges(topics)
    this.#pause = new Pause(clock)
    this.#server = new ServerState(settings.minDelayMs)
    this.#choice = firstChoice(transport === 'auto' ? 'stream' : transport, streamRetryMs)
    this.#goodAtMs = clock.now()
  }

  open(): void {
    void this.#run()
  }

  setTopics(topics: readonly string[], from?: 'now' | 'snapshot'): Promise<void> {
    const done = this.#topics.change(topics, from)
    if (this.#isOver) this.#topics.refuse(closedError())
    else if (this.#server.connection) void this.#putTopics()
    else this.#attempt?.stop('restart')
    return done
  }

  wake(): void {
    this.#pause.hurry()
    this.#attempt?.onDoubt?.()
  }

  close(): void {
    this.#finish({ name: 'closed' })
  }

  diagnostics(): FeedDiagnostics {
    const { heartbeatMs, floorMs, connection } = this.#server
    return {
      url: this.settings.url,
      transport: this.#choice.transport,
      attempts: this.#attempts,
      failures: this.#failures,
      lastError: this.#lastError,
      connection,
      heartbeatMs,
      floorMs,
      topics: this.#topics.topics,
    }
  }

  get promisedMs(): number | false {
    return this.settings.silenceMs ?? this.#server.heartbeatMs ?? false
  }

  get silenceMs(): number | false {
    return this.settings.silenceMs ?? (this.promisedMs && this.promisedMs * SILENT_HEARTBEATS)
  }

  onHead(headers: Headers): boolean {
    const server = this.#server
    server.isHub ||= headers.has('millrace-connection')
    if (server.isHub) server.heartbeatMs ??= HUB_HEARTBEAT_MS
    return server.isHub
  }

  get canFallBack(): boolean {
    return this.settings.transport === 'auto' && this.#choice.canPoll !== false
  }

  onFlow(): void {
    this.#isOpen = true
    this.sink.status({ name: 'open', transport: this.#choice.transport })
    this.#topics.confirm(this.#sentRevision)
  }

  onRetry(retryMs: number): void {
    this.#server.floorMs = Math.min(MAX_RETRY_MS, retryMs)
  }

  onEvent({ type, data, topic = '', lastEventId: id }: ParsedEvent): void {
    const { sink } = this
    if (type.startsWith('stream:')) {
      const said = readObject(data)
      if (type === 'stream:sync-required') return sink.missed(missedNotice(said, sink.resumeId()), id)
      this.#server.hear(type, said)
      if (type === 'stream:connected' && this.#topics.revision > this.#sentRevision) void this.#putTopics()
      if (type === 'stream:topics') this.#topics.confirm(Number(said['revision']))
      if (type === 'stream:expiring') void this.#renew()
      // These are between server and client; the others may be news to somebody.
      if (type === 'stream:connected' || type === 'stream:position') return sink.moved(id)
    } else {
      this.#server.endedTopics.delete(topic)
      if (this.#attempt) this.#attempt.isGood = true
    }
    sink.event({ type, data, topic, id })
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      await this.sink.ready()
      if (this.#isOver) return
      const attempt = new FeedAttempt(this.settings.clock)
      this.#attempt = attempt
      this.#attempts++
      const outcome = await this.#try(attempt)
      attempt.stop()
      this.#attempt = this.#server.connection = undefined
      if (this.#choice.transport === 'stream') this.#isOpen = false
      if (this.#isOver) return
      if (outcome === 'finished') return this.#finish({ name: 'ended' })
      await this.#waitAfter(attempt, outcome)
    }
  }

  async #try(attempt: FeedAttempt): Promise<Outcome> {
    const { settings, sink } = this
    const { connectTimeoutMs, pollWaitMs } = settings
    const { transport } = this.#choice
    const waitMs = transport === 'long-polling' ? pollWaitMs : 0
    // Between two polls nothing has changed for whoever looks.
    if (!this.#isOpen) sink.status({ name: 'connecting', attempt: this.#failures + 1 })
    sink.attempt({ attempt: this.#failures + 1, transport, lastId: sink.resumeId() })
    attempt.limit(connectTimeoutMs + waitMs, 'timeout', `The server has not answered within ${connectTimeoutMs} ms.`)
    try {
      this.#access = await attempt.until(this.#authorize(attempt.signal))
      this.#sentRevision = this.#topics.revision
      return transport === 'stream' ? await this.#stream(attempt) : await this.#poll(attempt, waitMs)
    } catch (cause) {
      return (
        stopped(attempt) ?? { error: new ClientError('authorize', `authorize has failed: ${String(cause)}`, { cause }) }
      )
    }
  }

  async #stream(attempt: FeedAttempt): Promise<Outcome> {
    const { settings } = this
    this.#hasState = false
    this.#server.isUnauthorized = false
    const end = await streamOnce(this, attempt, feedRequest(settings, this.#asked()))
    if (end.kind === 'status' && end.status === 204) return 'finished'
    if (end.kind === 'ended' && this.#server.hasEnded(this.#topics.topics)) return 'finished'
    if (this.#server.isUnauthorized) return { error: new ClientError('unauthorized', 'The grant has ended.') }
    return stopped(attempt) ?? { error: errorOf(end, settings.time()) }
  }

  async #poll(attempt: FeedAttempt, waitMs: number): Promise<Outcome> {
    const { settings, sink } = this
    const { clock, time, fraction, pollIntervalMs } = settings
    const id = sink.resumeId()
    const startMs = clock.now()
    // Who wants polls and nothing else is told what the server says to them.
    const isKnown = settings.transport !== 'auto' || this.#choice.canPoll
    const poll = {
      wait: String(waitMs / 1000),
      ...(id && { last_event_id: id }),
      ...(!this.#hasState && { state: 'all' }),
    }
    const answer = await pollOnce(attempt, feedRequest(settings, { ...this.#asked(), poll }), isKnown, time())
    if (answer === 'finished') return answer
    if (answer === 'no_polling') return { delayMs: LEAST_DELAY_MS, verdict: 'no_polling' }
    if (answer instanceof ClientError) return { error: answer }
    this.#hasState = attempt.isGood = this.#server.isHub = true
    if (!this.#isOpen) this.onFlow()
    this.#topics.confirm(this.#sentRevision)
    const { events, cursor, reset } = answer
    if (reset) sink.missed(missedNotice(reset, id), undefined)
    for (const event of events) {
      const polled = polledEvent(event, sink.resumeId())
      this.onEvent(polled)
      if (event.end) this.onEvent({ ...polled, type: 'stream:end', data: JSON.stringify({ topic: event.topic }) })
    }
    sink.moved(cursor)
    const waited = waitMs > 0 && clock.now() - startMs > waitMs / 2
    const isDue = !id || waited || events.length >= (waitMs > 0 ? 1 : FULL_ANSWER_COUNT)
    return { delayMs: isDue ? LEAST_DELAY_MS : pollIntervalMs * (1 + fraction() / 10), verdict: 'good' }
  }

  /** Waits for the time of the next attempt, or gives up. */
  async #waitAfter(attempt: FeedAttempt, outcome: Exclude<Outcome, 'finished'>): Promise<void> {
    const { clock, time, transport, streamRetryMs, policy, authorize } = this.settings
    const nowMs = clock.now()
    if (attempt.isGood) {
      this.#goodAtMs = nowMs
      this.#failures = 0
      this.#wasGood = true
      this.#isRefused = false
    } else if ('error' in outcome) this.#failures++
    if (transport === 'auto') {
      const verdict = 'error' in outcome ? verdictOf(outcome.error, attempt) : outcome.verdict
      this.#choice = nextChoice(this.#choice, verdict, nowMs, streamRetryMs)
    }
    if (!('error' in outcome)) return this.#pause.wait(outcome.delayMs, LEAST_DELAY_MS)
    const { error } = outcome
    this.#lastError = error
    const decision = policy(error, {
      failures: this.#failures,
      failingMs: nowMs - this.#goodAtMs,
      floorMs: this.#server.floorMs,
      wasGood: this.#wasGood,
      canRenew: authorize !== undefined && !this.#isRefused,
    })
    this.#isRefused ||= needsRenewal(error)
    if ('giveUp' in decision && this.#topics.isChanging) {
      // It is the new topics that are refused: back to the old ones.
      this.#topics.refuse(error)
      return this.#pause.wait(LEAST_DELAY_MS, LEAST_DELAY_MS)
    }
    if ('giveUp' in decision) return this.#finish({ name: 'failed', error: gaveUp(error, decision.giveUp) })
    const delayMs = waitable(decision.delayMs)
    this.#isOpen = false
    this.sink.status({ name: 'waiting', attempt: this.#failures + 1, delayMs, atMs: time() + delayMs, error })
    await this.#pause.wait(delayMs, waitable(decision.soonestMs))
  }

  /** One call at a time: whoever asks meanwhile gets the same answer. */
  #authorize(signal: AbortSignal): Promise<Access> {
    const { authorize } = this.settings
    const ask = async (): Promise<Access> => {
      // Nothing is called before the promise is known.
      await Promise.resolve()
      try {
        return (await authorize?.({ attempt: this.#failures + 1, isRefused: this.#isRefused, signal })) ?? {}
      } finally {
        this.#pendingAccess = undefined
      }
    }
    return (this.#pendingAccess ??= ask())
  }

  #asked(): Asked {
    return { topics: this.#topics.topics, access: this.#access, isHub: this.#server.isHub }
  }

  /** Asks the server to send by other topics on the open stream; where it cannot, the next one asks for them. */
  async #putTopics(): Promise<void> {
    const attempt = this.#attempt
    if (this.#isPutting || !attempt) return
    this.#isPutting = true
    const { topics, revision, from } = this.#topics
    const response = await this.#ask('PUT', 'topics', { topics, revision, from })
    this.#isPutting = false
    // The stream has ended meanwhile: the next one asks for the newest topics anyway.
    if (attempt !== this.#attempt) return
    const status = response?.status ?? 0
    if (response?.ok) {
      if (this.#topics.revision > revision) void this.#putTopics()
    } else if (response && status < 500 && ![404, 405, 409, 429].includes(status)) {
      this.#topics.refuse(statusError(response, this.settings.time()))
    } else attempt.stop('restart')
  }

  /** The grant is about to end: brings a new one, so that the stream need not. */
  async #renew(): Promise<void> {
    const attempt = this.#attempt
    if (!attempt || !this.settings.authorize) return
    this.#isRefused = true
    try {
      this.#access = await attempt.until(this.#authorize(attempt.signal))
      await this.#ask('POST', 'authorization', {})
    } catch {
      // The stream will end, and its successor asks again.
    }
    this.#isRefused = false
  }

  /** Asks for something to be done to the open stream. Undefined when there is no answer. */
  async #ask(method: string, what: string, body: object): Promise<Response | undefined> {
    const { connection, secret } = this.#server
    try {
      const response = await askFor(this.settings, this.#access, {
        path: `/${connection}/${what}`,
        method,
        body: { ...body, secret },
        signal: this.#attempt!.signal,
      })
      response.body?.cancel().catch(() => {})
      return response
    } catch {
      return undefined
    }
  }

  #finish(status: FeedStatus): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#attempt?.stop()
    this.#pause.end()
    this.sink.status(status)
    this.#topics.refuse(closedError())
  }
}
