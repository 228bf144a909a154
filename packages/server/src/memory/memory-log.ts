// oxlint-disable typescript/require-await -- the contract is asynchronous: `async` turns what is thrown into a rejection
import type { Position, Selector } from '@millrace/protocol'
import type { Clock } from '../clock.ts'
import { HubError } from '../hub-error.ts'
import {
  LogError,
  type Bounds,
  type EventLog,
  type Gap,
  type LogGapReason,
  type LogGuarantees,
  type NewEvent,
  type Page,
  type ReadQuery,
  type Snapshot,
  type StoredEvent,
  type Tail,
  type TailListener,
} from '../log.ts'
import { CheckSource, EPOCH_LENGTH } from './check-source.ts'
import { KeptEvents, type Entry } from './kept-events.ts'
import { assertEvents, assertPosition, assertQuery } from './log-arguments.ts'
import type { ResolvedMemoryOptions } from './memory-options.ts'
import { MemoryTail, type TailSource } from './memory-tail.ts'
import { selectorTest } from './pattern-set.ts'
import { Retention } from './retention.ts'
import { TopicIndex } from './topic-index.ts'
import { ruleIndexOf } from './topic-rules.ts'
import { utf8Length } from './utf8-length.ts'

/** How much a log holds: for metrics and for tests of its bounds. */
export interface MemoryLogSize {
  /** Events kept by retention. */
  readonly eventCount: number
  /** Places for events, those of evicted ones included that were not swept out yet. */
  readonly placeCount: number
  readonly topicCount: number
  readonly tailCount: number
}

/** One read looks at no more events than this, so that it never holds up the others for long. */
const MAX_SCAN_COUNT = 10_000
/** Aged events are evicted by every call; a log that nobody calls looks for them no more often than this. Milliseconds. */
const MIN_IDLE_EVICTION_MS = 1000
const MAX_DELAY_MS = 2 ** 31 - 1

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
  readonly #retentions: readonly Retention[]
  readonly #topics: TopicIndex
  readonly #kept = new KeptEvents()
  readonly #tails = new Set<MemoryTail>()
  readonly #tailSource: TailSource
  readonly #origin: Position
  #head: Position
  #timeMs = 0
  #cancelIdleEviction: (() => void) | undefined
  #isClosed = false

  constructor({ rules, maxTopics, clock, chance }: ResolvedMemoryOptions) {
    const stateRule = rules.find(({ kind }) => kind === 'state')
    if (stateRule) throw new HubError('invalid_option', `State topics (${stateRule.match}) are not built yet.`)
    this.#clock = clock
    this.#checks = new CheckSource(chance)
    this.#retentions = rules.map((rule) => new Retention(rule.retention))
    this.#topics = new TopicIndex(maxTopics, rules.length, (topic) => ruleIndexOf(rules, topic))
    this.#origin = { epoch: chance.token(EPOCH_LENGTH), seq: 0, check: this.#checks.next() }
    this.#head = this.#origin
    this.#tailSource = {
      readAfter: (after, maxCount) =>
        this.#scan(after, { after, selectors: 'all', maxCount, maxBytes: Number.MAX_SAFE_INTEGER }),
      onTailClosed: (tail) => this.#tails.delete(tail),
    }
  }

  get size(): MemoryLogSize {
    return {
      eventCount: this.#kept.count,
      placeCount: this.#kept.placeCount,
      topicCount: this.#topics.count,
      tailCount: this.#tails.size,
    }
  }

  async append(events: readonly NewEvent[]): Promise<readonly Position[]> {
    this.#assertOpen()
    assertEvents(events)
    this.#timeMs = Math.max(this.#timeMs, this.#clock.time())
    const nowMs = this.#clock.now()
    const previous = this.#head
    const stored: StoredEvent[] = []
    let sizeBytes = 0
    for (const event of events) {
      const entry = this.#store(event, nowMs)
      stored.push(entry.event)
      sizeBytes += entry.sizeBytes
    }
    if (stored.length > 0) for (const tail of this.#tails) tail.offer(stored, sizeBytes, previous)
    this.#evict(nowMs)
    return stored.map((event) => event.position)
  }

  async read(query: ReadQuery): Promise<Page | Gap> {
    this.#assertOpen()
    assertQuery(query)
    this.#evict(this.#clock.now())
    const { after, selectors } = query
    if (after === 'oldest') return this.#scan(this.#oldestFor(selectors), query)
    const reason = this.#faultOf(after) ?? (this.#hasLost(after, selectors) ? 'too_old' : undefined)
    if (!reason) return this.#scan(after, query)
    return { kind: 'gap', reason, oldest: this.#oldestFor(selectors), head: this.#head }
  }

  async snapshot(selectors: readonly Selector[] | 'all'): Promise<Snapshot> {
    this.#assertOpen()
    const events = this.#topics.lastEvents(selectors)
    return { at: this.#head, events, partial: this.#topics.mayLack(selectors) }
  }

  async tail(after: Position | 'head', listener: TailListener): Promise<Tail> {
    this.#assertOpen()
    if (after !== 'head') assertPosition(after)
    const start = after === 'head' ? this.#head : after
    const reason = this.#faultOf(start)
    if (reason) {
      const shown = `${start.epoch}-${start.seq}-${start.check}`
      throw new LogError('invalid', `A tail cannot start after ${shown} (${reason}): start it at 'head' or read first.`)
    }
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
    for (const retention of this.#retentions) retention.clear()
  }

  #store(event: NewEvent, nowMs: number): Entry & { readonly event: StoredEvent } {
    const before = this.#head
    const position: Position = { epoch: before.epoch, seq: before.seq + 1, check: this.#checks.next() }
    const stored: StoredEvent = { ...event, position, timeMs: this.#timeMs }
    const sizeBytes = utf8Length(event.topic) + utf8Length(event.type ?? '') + utf8Length(event.data)
    const entry = { seq: position.seq, event: stored, before, sizeBytes, storedAtMs: nowMs, next: undefined }
    this.#head = position
    this.#kept.push(entry)
    this.#retentions[this.#topics.noteAppended(stored)]?.add(entry)
    return entry
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

  #oldest(): Position {
    return this.#kept.oldest?.before ?? this.#head
  }

  #hasLost(after: Position, selectors: readonly Selector[] | 'all'): boolean {
    return this.#topics.newestEvicted(selectors, after) !== after
  }

  /** The first position from `#oldest` on that the selectors can be read on from without a loss. */
  #oldestFor(selectors: readonly Selector[] | 'all'): Position {
    return this.#topics.newestEvicted(selectors, this.#oldest())
  }

  #scan(after: Position, query: ReadQuery): Page {
    const matches = query.selectors === 'all' ? undefined : selectorTest(query.selectors)
    const events: StoredEvent[] = []
    let scannedTo = after
    let scanCount = 0
    let bytes = 0
    const isWhole = this.#kept.visitAfter(after.seq, ({ event, sizeBytes }) => {
      if (scanCount++ === MAX_SCAN_COUNT) return false
      if (!event) return true
      if (!matches || matches(event.topic)) {
        if (events.length === query.maxCount) return false
        if (events.length > 0 && bytes + sizeBytes > query.maxBytes) return false
        events.push(event)
        bytes += sizeBytes
      }
      scannedTo = event.position
      return true
    })
    return { kind: 'page', events, scannedTo: isWhole ? this.#head : scannedTo, head: this.#head }
  }

  #evict(nowMs: number): void {
    for (const retention of this.#retentions) {
      for (let entry = retention.takeExcess(nowMs); entry; entry = retention.takeExcess(nowMs)) {
        if (entry.event) this.#topics.noteEvicted(entry.event.topic, entry.event.position)
        this.#kept.evict(entry)
      }
    }
    this.#cancelIdleEviction ??= this.#planIdleEviction(nowMs)
  }

  /** Frees the memory of aged events when nobody calls. One timer; none while nothing can age. */
  #planIdleEviction(nowMs: number): (() => void) | undefined {
    const expiriesMs = this.#retentions.map((retention) => retention.nextExpiryMs).filter((ms) => ms !== undefined)
    if (expiriesMs.length === 0) return undefined
    const delayMs = Math.min(Math.max(Math.min(...expiriesMs) - nowMs, MIN_IDLE_EVICTION_MS), MAX_DELAY_MS)
    return this.#clock.after(delayMs, () => {
      this.#cancelIdleEviction = undefined
      if (!this.#isClosed) this.#evict(this.#clock.now())
    })
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new LogError('closed', 'The log was closed.')
  }
}
