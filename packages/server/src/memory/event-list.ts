import type { StoredEvent } from '../log.ts'

/** The place of one event in a list. */
export interface Slot {
  readonly seq: number
  /** Undefined once it was dropped. */
  event: StoredEvent | undefined
}

/** Dropped slots are swept out when there are more of them than of others, and at least this many. */
const MIN_SWEEP = 1024

/**
 * Events in the order of `seq`, of which any may be dropped at any time: a dropped one stays as an empty place until a
 * sweep, which makes dropping O(1) in the mean and the memory at most twice what is held.
 */
export class EventList<S extends Slot = Slot> {
  #slots: S[] = []
  /** Index of the oldest slot held; all before it are dropped. */
  #first = 0
  #count = 0

  get count(): number {
    return this.#count
  }

  /** How many places are held for the events: the measure of this structure's memory. */
  get placeCount(): number {
    return this.#slots.length
  }

  get oldest(): S | undefined {
    return this.#slots[this.#first]
  }

  /** Adds a slot, which is newer than all others. */
  push(slot: S): void {
    this.#slots.push(slot)
    this.#count++
  }

  /** Drops a slot that is held. */
  drop(slot: S): void {
    slot.event = undefined
    this.#count--
    const slots = this.#slots
    while (this.#first < slots.length && slots[this.#first]?.event === undefined) this.#first++
    const emptyCount = slots.length - this.#count
    if (emptyCount > MIN_SWEEP && emptyCount > this.#count) this.#sweep()
  }

  /** The event with this `seq`, if it is held. */
  at(seq: number): StoredEvent | undefined {
    const slot = this.#slots[this.#indexAfter(seq - 1)]
    return slot?.seq === seq ? slot.event : undefined
  }

  /** Visits slots after `seq`, oldest first, dropped ones too, until the visitor returns false. True: it never did. */
  visitAfter(seq: number, visit: (slot: S) => boolean): boolean {
    const slots = this.#slots
    for (let i = this.#indexAfter(seq); i < slots.length; i++) {
      const slot = slots[i]
      if (slot && !visit(slot)) return false
    }
    return true
  }

  clear(): void {
    this.#slots = []
    this.#first = 0
    this.#count = 0
  }

  /** The index of the first place after `seq` that may hold an event. */
  #indexAfter(seq: number): number {
    const slots = this.#slots
    let low = this.#first
    let high = slots.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((slots[middle]?.seq ?? 0) <= seq) low = middle + 1
      else high = middle
    }
    return low
  }

  #sweep(): void {
    this.#slots =
      this.#slots.length - this.#first === this.#count
        ? this.#slots.slice(this.#first)
        : this.#slots.filter((slot) => slot.event !== undefined)
    this.#first = 0
  }
}
