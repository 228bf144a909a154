import { matchesSelector, type Position, type Selector } from '@millrace/protocol'
import type { StoredEvent, TopicRule } from '@millrace/server'

interface ModelEvent {
  readonly event: StoredEvent
  readonly ruleIndex: number
  readonly storedAtMs: number
  readonly sizeBytes: number
  isEvicted: boolean
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

/** The rules of retention in their plainest form: every limit is recounted over every event after every step. */
export class LogModel {
  readonly #rules: readonly TopicRule[]
  readonly #events: ModelEvent[] = []
  readonly positions: Position[]
  nowMs = 0

  constructor(origin: Position, rules: readonly TopicRule[]) {
    this.#rules = rules
    this.positions = [origin]
  }

  get head(): Position {
    return this.positions.at(-1) as Position
  }

  get events(): readonly StoredEvent[] {
    return this.#events.map(({ event }) => event)
  }

  add(event: StoredEvent): void {
    const ruleIndex = this.#rules.findIndex(
      ({ match }) => match === '>' || matchesSelector(match as Selector, event.topic),
    )
    const sizeBytes = Buffer.byteLength(event.topic + (event.type ?? '') + event.data)
    this.#events.push({ event, ruleIndex, storedAtMs: this.nowMs, sizeBytes, isEvicted: false })
    this.positions.push(event.position)
  }

  evict(): void {
    for (const [ruleIndex, { retention = {} }] of this.#rules.entries()) {
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

  /** The position just before the oldest event kept. */
  get oldest(): Position {
    const first = this.#events.findIndex(({ isEvicted }) => !isEvicted)
    return first === -1 ? this.head : (this.positions[first] as Position)
  }

  /** Where a read of the selectors from the oldest begins. */
  oldestFor(selectors: readonly Selector[] | 'all'): Position {
    const evicted = this.#events.findLast((one) => one.isEvicted && isMatch(selectors, one.event))?.event.position
    return evicted && evicted.seq > this.oldest.seq ? evicted : this.oldest
  }

  expectRead(after: Position, selectors: readonly Selector[] | 'all'): ExpectedRead {
    const matching = this.#events.slice(after.seq).filter(({ event }) => isMatch(selectors, event))
    return {
      fromSeq: after.seq,
      isTooOld: matching.some(({ isEvicted }) => isEvicted),
      matches: matching.map(({ event }) => event),
    }
  }

  isEvicted(seq: number): boolean {
    return this.#events[seq - 1]?.isEvicted ?? false
  }

  expectSnapshot(selectors: readonly Selector[] | 'all'): StoredEvent[] {
    const last = new Map(this.events.map((event) => [event.topic, event]))
    return [...last.values()]
      .filter((event) => isMatch(selectors, event))
      .toSorted((a, b) => a.position.seq - b.position.seq)
  }
}

function isMatch(selectors: readonly Selector[] | 'all', { topic }: StoredEvent): boolean {
  return selectors === 'all' || selectors.some((selector) => matchesSelector(selector, topic))
}
