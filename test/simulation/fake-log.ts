import type { Position } from '@millrace/protocol'
import {
  LogError,
  type EventLog,
  type Gap,
  type NewEvent,
  type Page,
  type ReadQuery,
  type StoredEvent,
} from '@millrace/server'
import type { Bounds, LogGuarantees, Snapshot, Tail, TailListener } from '@millrace/server'
import { FakeTail } from './fake-tail.ts'
import type { Entry, History, Life } from './history.ts'
import type { Random } from './random.ts'
import type { Scenario } from './scenario.ts'
import { topicMatcher } from './wants.ts'

/** A call that the log has not answered. It takes effect at one moment and is answered at a later one. */
export interface LogCall {
  readonly name: string
  readonly node: string
  readonly takeEffect: () => void
  readonly answer: () => void
  effective: boolean
}

/** The log of a run. Each node talks to it through a connection of its own. */
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

  connect(node: string, random: Random): LogConnection {
    return new LogConnection(this, node, random)
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
      this.#evictedTo.set(entry.event.topic, entry.event.position.seq)
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
      if (entry.evicted) this.#evictedTo.set(entry.event.topic, entry.event.position.seq)
      else this.#keep(entry)
    }
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
      if (entry && !entry.evicted && matches(entry.event.topic)) {
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

/** The log as one node has it. */
export class LogConnection implements EventLog {
  readonly guarantees: LogGuarantees
  readonly node: string
  readonly #log: FakeLog
  readonly #random: Random
  #closed = false

  constructor(log: FakeLog, node: string, random: Random) {
    this.#log = log
    this.node = node
    this.#random = random
    this.guarantees = { durable: false, shared: true, atomicBatch: true, exactEviction: log.exactEviction }
  }

  get closed(): boolean {
    return this.#closed
  }

  append(events: readonly NewEvent[]): Promise<readonly Position[]> {
    return this.#call('append', () => this.#log.store(events))
  }

  read(query: ReadQuery): Promise<Page | Gap> {
    return this.#call('read', () => this.#log.read(query, this.#random))
  }

  snapshot(): Promise<Snapshot> {
    return Promise.reject(new LogError('invalid', 'snapshots are not simulated yet'))
  }

  tail(after: Position | 'head', listener: TailListener): Promise<Tail> {
    return this.#call('tail', () => {
      const { head } = this.#log.history
      const fault = after === 'head' ? undefined : this.#log.faultOf(after)
      if (fault) throw new LogError('invalid', `a tail cannot begin here: ${fault}`)
      return new FakeTail(this.#log, this.node, after === 'head' ? head : after, listener)
    })
  }

  bounds(): Promise<Bounds> {
    return this.#call('bounds', () => {
      const { life, head } = this.#log.history
      return { epoch: life.epoch, oldest: this.#log.oldest(life), head }
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const tail of this.#log.tails) if (tail.node === this.node) await tail.close()
  }

  /** The node has died: nothing reaches it any more. */
  sever(): void {
    this.#closed = true
    for (const tail of this.#log.tails) if (tail.node === this.node) this.#log.tails.delete(tail)
    const others = this.#log.calls.filter(
      (call) => call.node !== this.node || (call.name === 'append' && !call.effective),
    )
    this.#log.calls.splice(0, this.#log.calls.length, ...others)
  }

  #call<T>(name: string, run: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new LogError('closed', 'the log was closed'))
    return new Promise((resolve, reject) => {
      let outcome: { readonly value: T } | { readonly error: Error } = { error: new Error('answered too early') }
      const takeEffect = (): void => {
        try {
          if (this.#log.failing) throw new LogError('unavailable', 'the log is away')
          outcome = { value: run() }
        } catch (error) {
          outcome = { error: error as Error }
        }
      }
      const answer = (): void => {
        if ('value' in outcome) resolve(outcome.value)
        else reject(outcome.error)
      }
      this.#log.calls.push({ name, node: this.node, takeEffect, answer, effective: false })
    })
  }
}
