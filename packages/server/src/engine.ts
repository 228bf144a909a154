// Over 300 lines: it ties all parts together, and each tie is a few lines.
import type { Position } from '@millrace/protocol'
import { Advances } from './advances.ts'
import { AudienceIndex } from './audience-index.ts'
import type { Backend } from './backend.ts'
import { BackendError } from './backend-error.ts'
import { CatchUps } from './catch-up.ts'
import { systemChance, type Chance } from './chance.ts'
import { systemClock, type Clock } from './clock.ts'
import { delay } from './delay.ts'
import { Flusher } from './flusher.ts'
import { HotWindow, type HotWindowLimits } from './hot-window.ts'
import type { Audience } from './audience.ts'
import type { WireFrame } from './frame.ts'
import type { HubObserver } from './hub-observer.ts'
import type { HubLimits, HubOptions } from './hub-options.ts'
import type { HubStats } from './hub.ts'
import { HubError } from './hub-error.ts'
import { LogError, type AppendOptions, type EventContent, type EventLog, type NewEvent, type Tail } from './log.ts'
import { LogFaults } from './log-faults.ts'
import { LogReader } from './log-reader.ts'
import { narrowestRetention } from './memory/topic-rules.ts'
import { ObservedAppends } from './observed-appends.ts'
import { PendingBytes } from './pending-bytes.ts'
import { Reading } from './reading.ts'
import { Standing } from './standing.ts'
import type { SubscribeRequest } from './subscribe-request.ts'
import { Subscriber, type SubscriberHost } from './subscriber.ts'
import { Sweep } from './sweep.ts'
import type { Transport } from './transport.ts'
import { TopicKinds } from './topic-kinds.ts'
import type { TopicsChange } from './topics-change.ts'
import { UnsentMarks } from './unsent-marks.ts'

const FIRST_START_RETRY_MS = 100
const MAX_START_RETRY_MS = 5_000
/** Bytes of a frame besides its data, about: what a page of tiny events is bounded by. */
const FRAME_OVERHEAD_BYTES = 128
const NOWHERE: Position = Object.freeze({ epoch: '0', seq: 0, check: '000' })

/** The parts of a hub and what ties them: the tail feeds the flusher, streams come and go. */
export class Engine implements SubscriberHost {
  readonly clock: Clock
  readonly chance: Chance
  readonly limits: HubLimits
  readonly log: EventLog
  readonly onError: (error: unknown, context: string) => void
  readonly faults: LogFaults
  readonly observer: HubObserver
  readonly window: HotWindow
  readonly index: AudienceIndex = new AudienceIndex()
  readonly flusher: Flusher
  readonly catchUps: CatchUps
  readonly reader: LogReader
  readonly sweep: Sweep
  readonly kinds: TopicKinds
  readonly standing: Standing
  readonly subscribers: Map<string, Subscriber> = new Map()
  readonly advances: Advances = new Advances()
  readonly pending: PendingBytes
  /** Resolves when the log is followed. */
  readonly ready: Promise<void>
  /** Resolves after the first attempt to follow the log: whether it went well. */
  readonly firstAttempt: Promise<boolean>
  isStarted: boolean = false
  readonly #backend: Backend
  readonly #windowLimits: HotWindowLimits
  readonly #appends: ObservedAppends
  readonly #unsent = new UnsentMarks()
  readonly #closing = new AbortController()
  #isFollowing = false
  #hasStanding = false
  #tail: Tail | undefined
  #stopListening: (() => void) | undefined
  #onEmpty: (() => void)[] = []

  constructor(limits: HubLimits, options: HubOptions) {
    this.limits = limits
    this.clock = options.clock ?? systemClock
    this.chance = options.chance ?? systemChance
    this.#backend = options.backend
    this.log = options.backend.log
    this.onError = options.onError ?? (() => undefined)
    this.faults = new LogFaults(this.clock, this.onError)
    this.observer = options.observer ?? {}
    this.#appends = new ObservedAppends(this)
    const { maxCount, maxBytes, maxAgeMs } = narrowestRetention(options.backend.topics)
    this.#windowLimits = {
      maxCount: Math.min(limits.hotWindowCount, maxCount || Infinity),
      maxBytes: Math.min(limits.hotWindowBytes, maxBytes || Infinity),
      maxAgeMs,
    }
    this.kinds = new TopicKinds(options.backend.topics)
    this.pending = new PendingBytes(limits.maxPendingBytesTotal)
    this.window = new HotWindow(NOWHERE, this.#windowLimits, this.clock)
    const pageBytes = Math.floor(limits.maxBufferBytes / 4)
    this.reader = new LogReader(this, {
      maxCount: Math.max(1, Math.floor(pageBytes / FRAME_OVERHEAD_BYTES)),
      maxBytes: pageBytes,
    })
    this.sweep = new Sweep(this.clock, { intervalMs: Math.min(1_000, Math.floor(limits.heartbeatMs / 10)) })
    this.standing = new Standing(this)
    this.catchUps = new CatchUps(this)
    this.flusher = new Flusher(this)
    this.firstAttempt = this.#follow()
    this.ready = this.#keepTrying()
    this.ready.catch(() => undefined)
  }

  /** For how long the oldest event that was published here has not been written to everybody. Milliseconds. */
  get lagMs(): number {
    return Math.max(this.flusher.lagMs, this.#unsent.ageMs(this.flusher.end, this.clock.now()))
  }

  /** Appends to the log, and notes what is now to be sent. */
  async append(events: readonly NewEvent[], options?: AppendOptions): Promise<readonly Position[]> {
    const positions = await this.#appends.append(events, options, this.window.end)
    this.#unsent.note(positions.at(-1), this.clock.now())
    return positions
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  /** Resolves after the time, or sooner: when the signal is aborted or the hub is closed. */
  pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return delay(this.clock, ms, [this.#closing.signal, ...(signal ? [signal] : [])])
  }

  get hasReaders(): boolean {
    return this.advances.hasWaiting
  }

  onAdvance(ephemeral: readonly WireFrame[] = []): void {
    this.catchUps.onAdvance()
    this.advances.tell(ephemeral)
  }

  onReset(): void {
    this.reader.reset()
    if (this.#hasStanding) void this.standing.reload()
    this.onAdvance()
  }

  relieve(): void {
    this.pending.relieve(this.subscribers.values(), this.clock.now())
  }

  onStanding(): void {
    this.onAdvance()
  }

  /** Sends an event to those who are live now, on all nodes. */
  async send(event: EventContent): Promise<void> {
    try {
      await this.#backend.bus.send({ kind: 'ephemeral', event, timeMs: this.clock.time() })
    } catch (error) {
      this.faults.note(error, 'sending over the bus')
      throw error
    }
  }

  /** Whether the log answers. */
  canRead(): Promise<boolean> {
    return this.reader.bounds().then(
      () => true,
      () => false,
    )
  }

  open(connection: string, request: SubscribeRequest, transport: Transport, reading: Reading | undefined): Subscriber {
    const audience = this.index.acquire(request)
    const subscriber = new Subscriber(this, connection, request, audience, transport)
    this.subscribers.set(connection, subscriber)
    this.observer.onOpened?.(subscriber)
    if (reading) subscriber.start(undefined, reading)
    else this.#startNow(subscriber, audience)
    return subscriber
  }

  /** A stream that brings no id and asks for what comes now begins at the newest pass, and with the values of its state topics. */
  #startNow(subscriber: Subscriber, audience: Audience): void {
    const { standing } = this
    const { end } = this.flusher
    const isKnown = standing.isReady(end)
    const hasValues = standing.mayHaveValues(audience) && (!isKnown || standing.values.matching(audience).length > 0)
    const mayBeFinished = audience.topics !== undefined && (!isKnown || standing.isFinished(audience, end))
    const reading = hasValues || mayBeFinished ? new Reading(end, { trusted: true, announce: hasValues }) : undefined
    subscriber.start(hasValues ? undefined : end, reading)
  }

  changeTopics(subscriber: Subscriber, { selectors, revision, from = 'now' }: TopicsChange): void {
    const before = subscriber.audience
    const request = { ...subscriber.request, selectors }
    subscriber.changeTopics(this.index.acquire(request), request, revision, from)
    this.index.release(before)
  }

  onSubscriberClosed(subscriber: Subscriber): void {
    if (!this.subscribers.delete(subscriber.connection)) return
    this.index.release(subscriber.audience)
    this.observer.onClosed?.(subscriber)
    if (this.subscribers.size > 0) return
    this.catchUps.onEmpty()
    this.flusher.onEmpty()
    for (const resolve of this.#onEmpty) resolve()
    this.#onEmpty = []
  }

  /** Resolves when no stream is left. */
  whenEmpty(): Promise<void> {
    if (this.subscribers.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onEmpty.push(resolve))
  }

  stats(): HubStats {
    let live = 0
    let catchingUp = 0
    for (const { state } of this.subscribers.values()) {
      if (state.name === 'live') live++
      else if (state.name === 'catching-up') catchingUp++
    }
    return {
      subscribers: this.subscribers.size,
      live,
      catchingUp,
      audiences: this.index.size,
      indexEntries: this.index.entryCount,
      pendingCatchUps: this.catchUps.pending,
      pendingReads: this.reader.pending,
      passes: this.flusher.passes,
      hotWindowCount: this.window.count,
      hotWindowBytes: this.window.heldBytes,
      lagMs: this.lagMs,
      isFollowing: this.#isFollowing,
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#isFollowing = false
    this.flusher.close()
    this.onAdvance()
    this.#stopListening?.()
    await this.#tail?.close()
    const { bus, registry, log } = this.#backend
    try {
      await Promise.all([bus.close(), registry.close()])
    } finally {
      await log.close()
    }
  }

  async #keepTrying(): Promise<void> {
    for (
      let delayMs = FIRST_START_RETRY_MS;
      !(await this.#attempt());
      delayMs = Math.min(delayMs * 2, MAX_START_RETRY_MS)
    ) {
      await this.pause(delayMs, undefined)
    }
  }

  async #attempt(): Promise<boolean> {
    if (this.isClosed) throw new HubError('closed', 'The hub was closed before it could follow its log.')
    return (await this.firstAttempt) || this.#follow()
  }

  /** Follows the log from its head, with what was published last already at hand, and what goes over the bus. */
  async #follow(): Promise<boolean> {
    try {
      const recent = await this.log.recent(this.#windowLimits)
      this.flusher.reset(recent.after, recent.events)
      await this.standing.load()
      this.#hasStanding = true
      this.#stopListening ??= await this.#backend.bus.listen(({ event, timeMs }) => {
        this.flusher.acceptEphemeral({ ...event, timeMs })
      })
      const tail = await this.log.tail(this.flusher.end, {
        onEvents: (events) => this.flusher.accept(events),
        onEpoch: (position) => this.flusher.reset(position),
        onInterrupted: (error) => {
          this.#isFollowing = false
          if (error.code === 'closed') this.onError(error, 'following the event log')
          else this.faults.note(error, 'following the event log')
        },
        onResumed: () => {
          this.#isFollowing = true
        },
      })
      this.#tail = tail
      this.#isFollowing = true
      this.isStarted = true
      if (this.isClosed) {
        this.#stopListening?.()
        await tail.close()
      }
      return true
    } catch (error) {
      if (error instanceof LogError || error instanceof BackendError) this.faults.note(error, 'following the event log')
      else this.onError(error, 'following the event log')
      return false
    }
  }
}
