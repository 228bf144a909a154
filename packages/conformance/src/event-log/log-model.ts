import { matchesSelector, type Position, type Selector } from '@millrace/protocol'
import type { NewEvent, SnapshotKind, StoredEvent, TopicRule } from '@millrace/server'

interface ModelEvent {
  readonly event: StoredEvent
  readonly ruleIndex: number
  readonly isState: boolean
  readonly storedAtMs: number
  readonly sizeBytes: number
  /** Of a state topic: a newer value of its key was stored, so that it may be evicted at any time. */
  isEvicted: boolean
}

interface Remembered {
  readonly position: Position
  readonly storedAtMs: number
}

/** What a read must find. */
export interface ExpectedRead {
  /** Where the search begins. */
  readonly fromSeq: number
  /** Whether a matching event after that was evicted. */
  readonly isTooOld: boolean
  /** The matching events after it, evicted ones included. */
  readonly matches: readonly StoredEvent[]
}

/** The rules of the log in their plainest form: everything is recounted over every event after every step. */
export class LogModel {
  readonly #rules: readonly TopicRule[]
  readonly #dedupeWindowMs: number
  readonly #events: ModelEvent[] = []
  readonly #remembered = new Map<string, Remembered>()
  readonly positions: Position[]
  nowMs = 0

  constructor(origin: Position, rules: readonly TopicRule[], dedupeWindowMs: number) {
    this.#rules = rules
    this.#dedupeWindowMs = dedupeWindowMs
    this.positions = [origin]
  }

  get head(): Position {
    return this.positions.at(-1) as Position
  }

  get events(): readonly StoredEvent[] {
    return this.#events.map(({ event }) => event)
  }

  /** The position that an event is answered with without being stored; undefined when it is to be stored. */
  repeated({ dedupeKey }: NewEvent, publisher: string): Position | undefined {
    if (dedupeKey === undefined) return undefined
    const remembered = this.#remembered.get(JSON.stringify([publisher, dedupeKey]))
    if (!remembered || this.nowMs - remembered.storedAtMs > this.#dedupeWindowMs) return undefined
    return remembered.position
  }

  /** Stores an event at the position that the log gave it. */
  add({ dedupeKey, ...content }: NewEvent, publisher: string, position: Position): void {
    const event: StoredEvent = { ...content, position, timeMs: 0 }
    const ruleIndex = this.#rules.findIndex(
      ({ match }) => match === '>' || matchesSelector(match as Selector, event.topic),
    )
    const isState = this.#rules[ruleIndex]?.kind === 'state'
    for (const one of this.#events) {
      if (isState && one.event.topic === event.topic && (one.event.key ?? '') === (event.key ?? ''))
        one.isEvicted = true
    }
    const sizeBytes = Buffer.byteLength(event.topic + (event.type ?? '') + event.data)
    this.#events.push({ event, ruleIndex, isState, storedAtMs: this.nowMs, sizeBytes, isEvicted: false })
    this.positions.push(position)
    if (dedupeKey === undefined) return
    this.#remembered.set(JSON.stringify([publisher, dedupeKey]), { position, storedAtMs: this.nowMs })
  }

  evict(): void {
    for (const [ruleIndex, { retention = {}, kind }] of this.#rules.entries()) {
      if (kind === 'state') continue
      const kept = this.#events.filter((one) => one.ruleIndex === ruleIndex && !one.isEvicted)
      let sizeBytes = 0
      for (const [newerCount, one] of kept.toReversed().entries()) {
        sizeBytes += one.sizeBytes
        const isOver =
          newerCount >= (retention.maxCount || Infinity) ||
          sizeBytes > (retention.maxBytes || Infinity) ||
          this.nowMs - one.storedAtMs > (retention.maxAgeMs || Infinity)
        if (isOver) one.isEvicted = true
      }
    }
  }

  /** The position just before the oldest event kept of a log topic. */
  get oldest(): Position {
    const first = this.#events.findIndex(({ isEvicted, isState }) => !isEvicted && !isState)
    return first === -1 ? this.head : (this.positions[first] as Position)
  }

  /** Where a read of the selectors from the oldest begins. */
  oldestFor(selectors: readonly Selector[] | 'all'): Position {
    const isGone = (one: ModelEvent): boolean => one.isEvicted && !one.isState && isMatch(selectors, one.event)
    const evicted = this.#events.findLast(isGone)?.event.position
    return evicted && evicted.seq > this.oldest.seq ? evicted : this.oldest
  }

  expectRead(after: Position, selectors: readonly Selector[] | 'all'): ExpectedRead {
    const matching = this.#events.slice(after.seq).filter(({ event, isState }) => !isState && isMatch(selectors, event))
    return {
      fromSeq: after.seq,
      isTooOld: matching.some(({ isEvicted }) => isEvicted),
      matches: matching.map(({ event }) => event),
    }
  }

  /** Whether a tail may lack it. */
  isEvicted(seq: number): boolean {
    return this.#events[seq - 1]?.isEvicted ?? false
  }

  expectSnapshot(kind: SnapshotKind, selectors: readonly Selector[] | 'all'): StoredEvent[] {
    const last = new Map<string, ModelEvent>()
    for (const one of this.#events) {
      const { topic, key = '' } = one.event
      last.set(kind === 'state' ? JSON.stringify([topic, key]) : topic, one)
    }
    return [...last.values()]
      .filter(({ isState, event }) => (kind === 'ended' ? event.end : isState === (kind === 'state')))
      .map(({ event }) => event)
      .filter((event) => isMatch(selectors, event))
      .toSorted((a, b) => a.position.seq - b.position.seq)
  }
}

function isMatch(selectors: readonly Selector[] | 'all', { topic }: StoredEvent): boolean {
  return selectors === 'all' || selectors.some((selector) => matchesSelector(selector, topic))
}
