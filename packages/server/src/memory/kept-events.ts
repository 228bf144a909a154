import type { Position } from '@millrace/protocol'
import type { StoredEvent } from '../log.ts'

/** The place of one event in the log. */
export interface Entry {
  readonly seq: number
  /** Undefined once it was evicted. */
  event: StoredEvent | undefined
  /** The position of the event appended before it, kept or not. */
  readonly before: Position
  /** UTF-8 bytes of topic, type and data. */
  readonly sizeBytes: number
  /** By {@link Clock.now}: ages must not depend on a clock that steps. */
  readonly storedAtMs: number
  /** The entry of the same retention rule that comes after it. */
  next: Entry | undefined
}

/** Evicted entries are swept out when there are more of them than of kept ones, and at least this many. */
const MIN_SWEEP = 1024

/**
 * The kept events in the order of `seq`. Retention rules evict at their own pace, so there are holes: an evicted entry
 * stays as an empty place until a sweep, which makes eviction O(1) in the mean and the memory at most twice what is kept.
 */
export class KeptEvents {
  #entries: Entry[] = []
  /** Index of the oldest kept entry; all before it are evicted. */
  #first = 0
  #keptCount = 0

  get count(): number {
    return this.#keptCount
  }

  get oldest(): Entry | undefined {
    return this.#entries[this.#first]
  }

  /** How many places are held for the kept events: the measure of this structure's memory. */
  get placeCount(): number {
    return this.#entries.length
  }

  /** Adds an entry, which is newer than all others. */
  push(entry: Entry): void {
    this.#entries.push(entry)
    this.#keptCount++
  }

  evict(entry: Entry): void {
    entry.event = undefined
    this.#keptCount--
    const entries = this.#entries
    while (this.#first < entries.length && entries[this.#first]?.event === undefined) this.#first++
    const emptyCount = entries.length - this.#keptCount
    if (emptyCount > MIN_SWEEP && emptyCount > this.#keptCount) this.#sweep()
  }

  /** The entry with this `seq`, if it is kept. */
  at(seq: number): StoredEvent | undefined {
    const entry = this.#entries[this.#indexAfter(seq - 1)]
    return entry?.seq === seq ? entry.event : undefined
  }

  /** Visits kept and evicted entries after `seq`, oldest first, until the visitor returns false. True: it never did. */
  visitAfter(seq: number, visit: (entry: Entry) => boolean): boolean {
    const entries = this.#entries
    for (let i = this.#indexAfter(seq); i < entries.length; i++) {
      const entry = entries[i]
      if (entry && !visit(entry)) return false
    }
    return true
  }

  clear(): void {
    this.#entries = []
    this.#first = 0
    this.#keptCount = 0
  }

  /** The index of the first place after `seq` that may hold a kept entry. */
  #indexAfter(seq: number): number {
    const entries = this.#entries
    let low = this.#first
    let high = entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((entries[middle]?.seq ?? 0) <= seq) low = middle + 1
      else high = middle
    }
    return low
  }

  #sweep(): void {
    this.#entries =
      this.#entries.length - this.#first === this.#keptCount
        ? this.#entries.slice(this.#first)
        : this.#entries.filter((entry) => entry.event !== undefined)
    this.#first = 0
  }
}
