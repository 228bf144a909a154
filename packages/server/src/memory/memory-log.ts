// oxlint-disable typescript/require-await -- the contract is asynchronous: `async` turns what is thrown into a rejection
// Over 300 lines: all methods of the contract work on one state, and each is short.
import type { Position, Selector, Topic } from '@millrace/protocol'
import type { Clock } from '../clock.ts'
import {
  LogError,
  type AppendOptions,
  type Bounds,
  type EventLog,
  type Gap,
  type LogGapReason,
  type LogGuarantees,
  type NewEvent,
  type Page,
  type ReadQuery,
  type Recent,
  type RecentLimits,
  type Snapshot,
  type SnapshotKind,
  type SnapshotOptions,
  type StoredEvent,
  type Tail,
  type TailListener,
} from '../log.ts'
import { CheckSource, EPOCH_LENGTH } from './check-source.ts'
import { DedupeMemory, withoutDedupeKey } from './dedupe-memory.ts'
import { EndedTopics } from './ended-topics.ts'
import { EventList } from './event-list.ts'
import {
  assertAppendOptions,
  assertEvents,
  assertPosition,
  assertQuery,
  assertRecentLimits,
  assertSnapshotOptions,
} from './log-arguments.ts'
import type { LogEntry } from './log-entry.ts'
import type { ResolvedMemoryOptions } from './memory-options.ts'
import { TurnTaking } from './turn-taking.ts'
import { MemoryTail, type TailSource } from './memory-tail.ts'
import { readPage } from './read-page.ts'
import { recentEvents } from './recent-events.ts'
import { Retentions } from './retentions.ts'
import { snapshotPage, type SnapshotSource } from './snapshot-page.ts'
import { StateValues } from './state-values.ts'
import { TopicIndex } from './topic-index.ts'
import { ruleIndexOf, type ResolvedTopicRule } from './topic-rules.ts'
import { utf8Length } from './utf8-length.ts'

/** How much a log holds: for metrics and for tests of its bounds. */
export interface MemoryLogSize {
  /** Events kept by retention, and the newest values of state topics. */
  readonly eventCount: number
  /** Places for events, those of evicted ones included that were not swept out yet. */
  readonly placeCount: number
  /** Log topics. */
  readonly topicCount: number
  readonly stateKeyCount: number
  readonly dedupeKeyCount: number
  readonly tailCount: number
}

/** Aged events are evicted by every call; a log that nobody calls looks for them no more often than this. Milliseconds. */
const MIN_IDLE_EVICTION_MS = 1000
const MAX_DELAY_MS = 2 ** 31 - 1
/** What a tail reads. */
const ALL_TOPICS = { selectors: 'all', maxBytes: Number.MAX_SAFE_INTEGER, withState: true } as const

/**
 * The event log of a single process, in memory: each start is a new epoch.
 *
 * Age is measured by the clock that only rises, so no step of the wall clock evicts anything early or keeps it longer;
 * `timeMs` follows the wall clock but never falls.
 */
export class MemoryLog implements EventLog {
  readonly guarantees: LogGuarantees = Object.freeze({
    durable: false,
    shared: false,
    atomicBatch: true,
    exactEviction: true,
  })
  readonly #clock: Clock
  readonly #checks: CheckSource
  readonly #rules: readonly ResolvedTopicRule[]
  readonly #hasState: boolean
  readonly #retentions: Retentions
  readonly #topics: TopicIndex
  readonly #states: StateValues
  readonly #ended = new EndedTopics()
  readonly #sources: Readonly<Record<SnapshotKind, SnapshotSource>>
  readonly #dedupe: DedupeMemory
  readonly #kept = new EventList<LogEntry>()
  readonly #tails = new Set<MemoryTail>()
  readonly #turns = new TurnTaking()
  readonly #tailSource: TailSource
  readonly #origin: Position
  #head: Position
  #timeMs = 0
  #cancelIdleEviction: (() => void) | undefined
  #isClosed = false

  constructor(options: ResolvedMemoryOptions) {
    const { rules, clock, chance } = options
    this.#rules = rules
    this.#hasState = rules.some(({ kind }) => kind === 'state')
    this.#clock = clock
    this.#checks = new CheckSource(chance)
    this.#retentions = new Retentions(rules)
    this.#topics = new TopicIndex(options.maxTopics, rules, (topic) => this.#ended.forget(topic))
    this.#states = new StateValues(options.maxStateKeys)
    this.#sources = { log: this.#topics, state: this.#states, ended: this.#ended }
    this.#dedupe = new DedupeMemory(options.dedupeWindowMs, options.maxDedupeKeys)
    this.#origin = { epoch: chance.token(EPOCH_LENGTH), seq: 0, check: this.#checks.next() }
    this.#head = this.#origin
    this.#tailSource = {
      readAfter: (after, maxCount) => readPage(this.#kept, this.#head, { ...ALL_TOPICS, after, maxCount }),
      onTailClosed: (tail) => this.#tails.delete(tail),
    }
  }

  get size(): MemoryLogSize {
    return {
      eventCount: this.#kept.count,
      placeCount: this.#kept.placeCount,
      topicCount: this.#topics.count,
      stateKeyCount: this.#states.keyCount,
      dedupeKeyCount: this.#dedupe.count,
      tailCount: this.#tails.size,
    }
  }

  async append(events: readonly NewEvent[], options: AppendOptions = {}): Promise<readonly Position[]> {
    this.#assertOpen()
    assertEvents(events)
    assertAppendOptions(options)
    const { publisher = '' } = options
    const nowMs = this.#clock.now()
    this.#dedupe.expire(nowMs)
    const repetitions = this.#dedupe.find(events, publisher)
    const fresh = repetitions ? events.filter((_, i) => repetitions[i] === undefined) : events
    if (this.#hasState) this.#states.assertRoomFor(fresh.filter(({ topic }) => this.#isState(topic)))
    const stored = this.#storeAll(fresh, nowMs)
    const positions = repetitions ? this.#dedupe.note(events, publisher, repetitions, stored, nowMs) : stored
    this.#evict(nowMs)
    return this.#turns.pass(positions, events.length)
  }

  async read(query: ReadQuery): Promise<Page | Gap> {
    this.#assertOpen()
    assertQuery(query)
    this.#evict(this.#clock.now())
    const { after, selectors } = query
    const pageAfter = (start: Position): Page =>
      readPage(this.#kept, this.#head, { ...query, after: start, withState: false })
    if (after === 'oldest') return pageAfter(this.#oldestFor(selectors))
    const reason = this.#faultOf(after) ?? (this.#hasLost(after, selectors) ? 'too_old' : undefined)
    if (!reason) return pageAfter(after)
    return { kind: 'gap', reason, oldest: this.#oldestFor(selectors), head: this.#head }
  }

  async snapshot(selectors: readonly Selector[] | 'all', options: SnapshotOptions = {}): Promise<Snapshot> {
    this.#assertOpen()
    assertSnapshotOptions(options)
    const { of: kind = 'log', cursor } = options
    if (cursor) this.#assertPlace(cursor.at, 'A snapshot cannot go on from', 'begin a new one')
    const at = cursor?.at ?? this.#head
    const page = snapshotPage(this.#sources[kind], selectors, at, options)
    const snapshot = { at, ...page, partial: kind !== 'state' && this.#topics.mayLack(selectors) }
    return this.#turns.pass(snapshot, page.events.length)
  }

  async recent(limits: RecentLimits): Promise<Recent> {
    this.#assertOpen()
    assertRecentLimits(limits)
    this.#evict(this.#clock.now())
    const kept: StoredEvent[] = []
    this.#kept.visitAfter(this.#head.seq - limits.maxCount - 1, ({ event }) => {
      if (event) kept.push(event)
      return true
    })
    return recentEvents(kept, this.#head, limits)
  }

  async tail(after: Position | 'head', listener: TailListener): Promise<Tail> {
    this.#assertOpen()
    if (after !== 'head') assertPosition(after)
    this.#evict(this.#clock.now())
    const start = after === 'head' ? this.#head : after
    this.#assertPlace(start, 'A tail cannot start after', "start it at 'head' or read first")
    const tail = new MemoryTail(start, this.#head, this.#tailSource, listener)
    this.#tails.add(tail)
    return tail
  }

  async bounds(): Promise<Bounds> {
    this.#assertOpen()
    this.#evict(this.#clock.now())
    return { epoch: this.#origin.epoch, oldest: this.#oldest(), head: this.#head }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelIdleEviction?.()
    await Promise.all([...this.#tails].map((tail) => tail.close()))
    this.#kept.clear()
    this.#topics.clear()
    this.#states.clear()
    this.#ended.clear()
    this.#dedupe.clear()
    this.#retentions.clear()
  }

  #storeAll(events: readonly NewEvent[], nowMs: number): Position[] {
    this.#timeMs = Math.max(this.#timeMs, this.#clock.time())
    const previous = this.#head
    const stored: StoredEvent[] = []
    let sizeBytes = 0
    for (const event of events) {
      const entry = this.#store(event, nowMs)
      stored.push(entry.event)
      sizeBytes += entry.sizeBytes
    }
    if (stored.length > 0) for (const tail of this.#tails) tail.offer(stored, sizeBytes, previous)
    return stored.map((event) => event.position)
  }

  #store(event: NewEvent, nowMs: number): LogEntry & { readonly event: StoredEvent } {
    const before = this.#head
    const position: Position = { epoch: before.epoch, seq: before.seq + 1, check: this.#checks.next() }
    const stored: StoredEvent = { ...withoutDedupeKey(event), position, timeMs: this.#timeMs }
    const sizeBytes = utf8Length(event.topic) + utf8Length(event.type ?? '') + utf8Length(event.data)
    const isState = this.#isState(event.topic)
    const { seq } = position
    const entry = { seq, event: stored, before, sizeBytes, isState, agesFromMs: nowMs, next: undefined }
    this.#head = position
    this.#kept.push(entry)
    if (isState) this.#retire(this.#states.noteAppended(stored, entry), nowMs)
    else this.#retentions.add(this.#topics.noteAppended(stored), entry)
    this.#ended.noteAppended(stored)
    return entry
  }

  /** From now on retention holds for a value that was superseded. */
  #retire(superseded: LogEntry | undefined, nowMs: number): void {
    if (!superseded?.event) return
    superseded.agesFromMs = nowMs
    this.#retentions.add(ruleIndexOf(this.#rules, superseded.event.topic), superseded)
  }

  #isState(topic: Topic): boolean {
    if (!this.#hasState || this.#topics.has(topic)) return false
    return this.#states.has(topic) || this.#rules[ruleIndexOf(this.#rules, topic)]?.kind === 'state'
  }

  /** @throws LogError `invalid` */
  #assertPlace(position: Position, what: string, mend: string): void {
    const reason = this.#faultOf(position)
    if (!reason) return
    const shown = `${position.epoch}-${position.seq}-${position.check}`
    throw new LogError('invalid', `${what} ${shown} (${reason}): ${mend}.`)
  }

  /** What is wrong with a position, evictions aside: judged in the order of the contract. */
  #faultOf(position: Position): Exclude<LogGapReason, 'too_old'> | undefined {
    if (position.epoch !== this.#head.epoch) return 'epoch_changed'
    if (position.seq > this.#head.seq) return 'ahead'
    const known = this.#positionAt(position.seq)
    return known && known.check !== position.check ? 'epoch_changed' : undefined
  }

  /** The position with this `seq`, if the log still knows it. */
  #positionAt(seq: number): Position | undefined {
    const oldest = this.#oldest()
    const known = [this.#origin, oldest, this.#head].find((position) => position.seq === seq)
    return known ?? this.#kept.at(seq)?.position
  }

  /** Just before the oldest event kept of a log topic. */
  #oldest(): Position {
    return this.#retentions.oldestOfLogs?.before ?? this.#head
  }

  #hasLost(after: Position, selectors: readonly Selector[] | 'all'): boolean {
    return this.#topics.newestEvicted(selectors, after) !== after
  }

  /** The first position from `#oldest` on that the selectors can be read on from without a loss. */
  #oldestFor(selectors: readonly Selector[] | 'all'): Position {
    return this.#topics.newestEvicted(selectors, this.#oldest())
  }

  #evict(nowMs: number): void {
    this.#retentions.takeExcess(nowMs, (entry) => {
      if (entry.event && !entry.isState) this.#topics.noteEvicted(entry.event.topic, entry.event.position)
      this.#kept.drop(entry)
    })
    this.#cancelIdleEviction ??= this.#planIdleEviction(nowMs)
  }

  /** Frees the memory of what has aged when nobody calls. One timer; none while nothing can age. */
  #planIdleEviction(nowMs: number): (() => void) | undefined {
    const expiryMs = Math.min(this.#retentions.nextExpiryMs ?? Infinity, this.#dedupe.nextExpiryMs ?? Infinity)
    if (expiryMs === Infinity) return undefined
    const delayMs = Math.min(Math.max(expiryMs - nowMs, MIN_IDLE_EVICTION_MS), MAX_DELAY_MS)
    return this.#clock.after(delayMs, () => {
      this.#cancelIdleEviction = undefined
      if (this.#isClosed) return
      const later = this.#clock.now()
      this.#dedupe.expire(later)
      this.#evict(later)
    })
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new LogError('closed', 'The log was closed.')
  }
}
