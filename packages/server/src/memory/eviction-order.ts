import type { Position, Topic } from '@millrace/protocol'

/** How far one topic was evicted. */
export class Eviction {
  readonly topic: Topic
  position: Position
  /** Neighbours in the order of `position`. */
  earlier: Eviction | undefined
  later: Eviction | undefined

  constructor(topic: Topic, position: Position) {
    this.topic = topic
    this.position = position
  }
}

/**
 * The topics of one retention rule in the order of their newest evicted events. A rule evicts oldest first, so each
 * eviction is the newest of its rule.
 */
export class EvictionOrder {
  #newest: Eviction | undefined

  add(eviction: Eviction): void {
    eviction.earlier = this.#newest
    if (this.#newest) this.#newest.later = eviction
    this.#newest = eviction
  }

  /** Notes that a further event of the topic was evicted. */
  renew(eviction: Eviction, position: Position): void {
    eviction.position = position
    if (eviction === this.#newest) return
    this.remove(eviction)
    this.add(eviction)
  }

  remove(eviction: Eviction): void {
    if (eviction.earlier) eviction.earlier.later = eviction.later
    if (eviction.later) eviction.later.earlier = eviction.earlier
    else this.#newest = eviction.earlier
    eviction.earlier = undefined
    eviction.later = undefined
  }

  /** The newest evicted event that matches, if it is later than `floor`; else `floor`. Nothing older is looked at. */
  newestMatch(matches: (topic: Topic) => boolean, floor: Position): Position {
    for (let each = this.#newest; each && each.position.seq > floor.seq; each = each.earlier) {
      if (matches(each.topic)) return each.position
    }
    return floor
  }

  clear(): void {
    this.#newest = undefined
  }
}

/** The later one; `one` when they are the same. */
export function later(one: Position, other: Position | undefined): Position {
  return other && other.seq > one.seq ? other : one
}
