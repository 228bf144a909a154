import type { Position, Topic } from '@millrace/protocol'
import { Eviction, EvictionOrder } from '@millrace/server/log-parts'
import type { TopicRecord } from './topic-record.ts'

/** How far a topic was evicted, and which order that is in. */
export interface PlacedEviction {
  readonly eviction: Eviction
  readonly order: EvictionOrder
}

/**
 * The known log topics in the order of their newest evicted events, so that what a pattern has lost is found without a look
 * at every topic: any client may ask, with patterns of its choice.
 *
 * Each eviction is the newest of its rule since the log was opened. What was evicted before may have been under other
 * rules, and has an order of its own.
 */
export class TopicEvictions {
  readonly #byRule: readonly EvictionOrder[]
  readonly #old = new EvictionOrder()

  constructor(ruleCount: number) {
    this.#byRule = Array.from({ length: ruleCount }, () => new EvictionOrder())
  }

  /** Adds what was evicted before the log was opened: to be called in the order of the positions. */
  addOld(record: TopicRecord, position: Position): void {
    const eviction = new Eviction(record.name, position)
    record.eviction = { eviction, order: this.#old }
    this.#old.add(eviction)
  }

  /** Notes that a further event of the topic was evicted. */
  note(record: TopicRecord, position: Position): void {
    const order = this.#byRule[record.ruleIndex]
    if (!order) return
    if (record.eviction?.order === order) {
      order.renew(record.eviction.eviction, position)
      return
    }
    this.remove(record)
    const eviction = new Eviction(record.name, position)
    record.eviction = { eviction, order }
    order.add(eviction)
  }

  remove(record: TopicRecord): void {
    record.eviction?.order.remove(record.eviction.eviction)
    record.eviction = undefined
  }

  /** The newest evicted event that matches, if it is later than `floor`; else `floor`. */
  newestMatch(matches: (topic: Topic) => boolean, floor: Position): Position {
    let newest = this.#old.newestMatch(matches, floor)
    for (const order of this.#byRule) newest = order.newestMatch(matches, newest)
    return newest
  }
}
