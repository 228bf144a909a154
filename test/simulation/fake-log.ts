import type { Position } from '@millrace/protocol'
import { LogError, type Gap, type NewEvent, type Page, type ReadQuery, type StoredEvent } from '@millrace/server'
import type { Recent, RecentLimits, Snapshot, SnapshotOptions } from '@millrace/server'
import type { FakeTail } from './fake-tail.ts'
import { hasPosition, type Entry, type History, type Life } from './history.ts'
import type { Random } from './random.ts'
import type { Scenario } from './scenario.ts'
import { isStateTopic, topicMatcher } from './wants.ts'

/** A call that the log has not answered. It takes effect at one moment and is answered at a later one. */
export interface LogCall {
  readonly name: string
  readonly node: string
  readonly takeEffect: () => void
  readonly answer: () => void
  effective: boolean
}

/** The log of a run. Each node talks to it through a {@link LogConnection} of its own. */
export class FakeLog {
  readonly history: History
  readonly calls: LogCall[] = []
  readonly tails = new Set<FakeTail>()
  /** While true, what takes effect fails. */
  failing = false
  readonly #options: Scenario['log']
  readonly #matchers: readonly ((topic: string) => boolean)[]
  readonly #timeOfDay: () => number
  #lastTimeMs = 0
  /** The events of each retention rule that are not evicted, oldest first. */
  #kept: Entry[][] = []
  /** Newest evicted seq of each topic, in the present life. */
  #evictedTo = new Map<string, number>()

  constructor(history: History, options: Scenario['log'], timeOfDay: () => number) {
    this.history = history
    this.#options = options
    this.#matchers = options.retention.map((rule) => topicMatcher([rule.match]))
    this.#timeOfDay = timeOfDay
  }

  get tailSkipsEvicted(): boolean {
    return this.#options.tailSkipsEvicted
  }

  get exactEviction(): boolean {
    return this.#options.exactEviction
  }

  /** Stores events at once, as an append from another place does. */
  store(events: readonly NewEvent[]): Position[] {
    this.#lastTimeMs = Math.max(this.#lastTimeMs, this.#timeOfDay())
    const positions = events.map((event) => {
      const entry = this.history.append({ ...event, timeMs: this.#lastTimeMs })
      this.#keep(entry)
      return entry.event.position
    })
    this.enforceRetention()
    return positions
  }

  enforceRetention(): void {
    for (const [index, rule] of this.#options.retention.entries()) this.evict(index, rule.maxCount)
  }

  /** Evicts the oldest events of a rule until so many are left. Returns how many went. */
  evict(ruleIndex: number, keepCount: number): number {
    const kept = this.#kept[ruleIndex] ?? []
    const goes = kept.splice(0, Math.max(0, kept.length - keepCount))
    for (const entry of goes) {
      entry.evicted = true
      this.#noteEvicted(entry.event)
    }
    return goes.length
  }

  get ruleCount(): number {
    return this.#matchers.length
  }

  loseNewest(count: number, seqGoesOn: boolean): void {
    this.history.beginNewLife(count, seqGoesOn)
    this.#evictedTo = new Map()
    this.#kept = []
    for (const entry of this.history.life.entries.values()) {
      if (entry.evicted) this.#noteEvicted(entry.event)
      else this.#keep(entry)
    }
  }

  /** Nobody is owed the past of state topics. */
  #noteEvicted({ topic, position }: StoredEvent): void {
    if (!isStateTopic(topic)) this.#evictedTo.set(topic, position.seq)
  }

  #keep(entry: Entry): void {
    const rule = this.#matchers.findIndex((matches) => matches(entry.event.topic))
    if (rule !== -1) (this.#kept[rule] ??= []).push(entry)
  }

  /** Moves one call on. Appends of one node take effect in the order in which they were called. */
  progress(random: Random): string | undefined {
    if (this.calls.length === 0) return undefined
    let call = random.pick(this.calls)
    if (call.name === 'append' && !call.effective) {
      const { node } = call
      call = this.calls.find((other) => other.name === 'append' && other.node === node && !other.effective) ?? call
    }
    return this.#advance(call, random.chance(0.6))
  }

  hasCallOf(node: string): boolean {
    return this.calls.some((call) => call.node === node)
  }

  /** Answers the oldest call. */
  answerOldest(): string | undefined {
    const call = this.calls[0]
    return call && this.#advance(call, true)
  }

  #advance(call: LogCall, answer: boolean): string {
    const wasEffective = call.effective
    if (!call.effective) {
      call.effective = true
      call.takeEffect()
    }
    if (!wasEffective && !answer) return `${call.name} of ${call.node} takes effect`
    this.calls.splice(this.calls.indexOf(call), 1)
    call.answer()
    return `${call.name} of ${call.node} is answered`
  }

  /** Where reading begins: before the oldest event kept, and after the newest evicted one that matches. */
  oldest(life: Life, matches?: (topic: string) => boolean): Position {
    let least = life.headSeq + 1
    for (const [seq, entry] of life.entries) if (!entry.evicted && seq < least) least = seq
    let start = least - 1
    for (const [topic, seq] of this.#evictedTo) {
      if (matches && (!this.#options.exactEviction || matches(topic))) start = Math.max(start, seq)
    }
    while (!life.entries.has(start) && !life.marks.has(start)) start--
    return this.history.positionAt(life, start)
  }

  read(query: ReadQuery, random: Random): Page | Gap {
    const life = this.history.life
    const head = this.history.head
    const matches = topicMatcher(query.selectors)
    const reason =
      query.after === 'oldest' ? undefined : (this.faultOf(query.after) ?? this.#lossAfter(query.after, matches))
    const oldest = this.oldest(life, matches)
    if (reason) return { kind: 'gap', reason, oldest, head }
    const after = query.after === 'oldest' ? oldest : query.after
    const events: StoredEvent[] = []
    let scannedTo = after
    let bytes = 0
    let scanned = 0
    for (let seq = after.seq + 1; seq <= life.headSeq; seq++) {
      const entry = life.entries.get(seq)
      if (entry && !entry.evicted && matches(entry.event.topic) && !isStateTopic(entry.event.topic)) {
        bytes += entry.event.data.length
        if (events.length > 0 && (events.length >= query.maxCount || bytes > query.maxBytes)) break
        events.push(entry.event)
      }
      if (entry) scannedTo = entry.event.position
      if (++scanned >= this.#options.scanCount && entry) break
      if (events.length >= query.maxCount && random.chance(0.5)) break
    }
    return { kind: 'page', events, scannedTo: reaches(life, scannedTo.seq) ? head : scannedTo, head }
  }

  /** Reads the last events of topics, or of keys, in pages that may be shorter than asked for. */
  snapshot(
    selectors: readonly string[] | 'all',
    { of = 'log', cursor, maxCount = Infinity, maxBytes = Infinity }: SnapshotOptions,
    random: Random,
  ): Snapshot {
    const { life, head } = this.history
    if (cursor && cursor.at.epoch !== life.epoch) throw new LogError('invalid', 'the cursor is of another epoch')
    const at = cursor?.at ?? head
    const matches = topicMatcher(selectors)
    const newest = new Map<string, StoredEvent>()
    for (const { event } of life.entries.values()) {
      const isState = isStateTopic(event.topic)
      if (!matches(event.topic) || (of === 'log' && isState) || (of === 'state' && !isState)) continue
      newest.set(of === 'state' ? `${event.topic} ${event.key ?? ''}` : event.topic, event)
    }
    const due = [...newest.values()]
      .filter(({ position, end }) => position.seq <= at.seq && (of !== 'ended' || end === true))
      .filter(({ position }) => position.seq > (cursor?.afterSeq ?? -1))
      .sort((one, other) => one.position.seq - other.position.seq)
    const events: StoredEvent[] = []
    const most = random.chance(0.5) ? maxCount : Math.min(maxCount, random.between(1, 4))
    let bytes = 0
    for (const event of due) {
      bytes += event.data.length
      if (events.length > 0 && (events.length >= most || bytes > maxBytes)) break
      events.push(event)
    }
    const isWhole = events.length === due.length
    const afterSeq = events.at(-1)?.position.seq ?? at.seq
    return { at, events, partial: false, ...(isWhole ? {} : { next: { at, afterSeq } }) }
  }

  /** The newest events that have no hole among them, sometimes fewer than there are. */
  recent({ maxCount, maxBytes }: RecentLimits, random: Random): Recent {
    const { life, head } = this.history
    const most = random.chance(0.7) ? maxCount : random.between(0, maxCount)
    const events: StoredEvent[] = []
    let bytes = 0
    let after = head
    while (events.length < most) {
      const entry = life.entries.get(after.seq)
      bytes += entry?.event.data.length ?? 0
      if (!entry || entry.evicted || bytes > maxBytes || !hasPosition(life, after.seq - 1)) break
      events.unshift(entry.event)
      after = this.history.positionAt(life, after.seq - 1)
    }
    return { after, events }
  }

  /** What is wrong with a position, evictions aside. */
  faultOf(after: Position): Exclude<Gap['reason'], 'too_old'> | undefined {
    const { life } = this.history
    if (after.epoch !== life.epoch) return 'epoch_changed'
    if (after.seq > life.headSeq) return 'ahead'
    const entry = life.entries.get(after.seq)
    if (entry && !entry.evicted && entry.event.position.check !== after.check) return 'epoch_changed'
    if (!entry && life.marks.get(after.seq) !== after.check) return 'epoch_changed'
    return undefined
  }

  #lossAfter(after: Position, matches: (topic: string) => boolean): 'too_old' | undefined {
    for (const [topic, seq] of this.#evictedTo) {
      if (seq > after.seq && (!this.#options.exactEviction || matches(topic))) return 'too_old'
    }
    return undefined
  }
}

/** True when no entry follows. */
function reaches(life: Life, seq: number): boolean {
  for (let next = seq + 1; next <= life.headSeq; next++) if (life.entries.has(next)) return false
  return true
}
