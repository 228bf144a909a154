/** What expires at a time. */
export interface Expiring {
  readonly expiresAtMs: number
  /** Its place in the queue; the queue's own. */
  place: number
}

/** Gives out first what expires first: a binary heap, whose members know their place, so that any can be taken out. */
export class ExpiryQueue<T extends Expiring> {
  readonly #heap: T[] = []

  /** What expires first. */
  get first(): T | undefined {
    return this.#heap[0]
  }

  add(item: T): void {
    item.place = this.#heap.length
    this.#heap.push(item)
    this.#rise(item)
  }

  /** Takes out an item, which must be in the queue. */
  remove(item: T): void {
    const last = this.#heap.pop()
    if (!last || last === item) return
    this.#put(last, item.place)
    this.#rise(last)
    this.#sink(last)
  }

  clear(): void {
    this.#heap.length = 0
  }

  #rise(item: T): void {
    for (;;) {
      const parent = item.place === 0 ? undefined : this.#heap[(item.place - 1) >>> 1]
      if (!parent || parent.expiresAtMs <= item.expiresAtMs) return
      this.#swap(parent, item)
    }
  }

  #sink(item: T): void {
    for (;;) {
      const left = this.#heap[2 * item.place + 1]
      const right = this.#heap[2 * item.place + 2]
      const sooner = right && left && right.expiresAtMs < left.expiresAtMs ? right : left
      if (!sooner || sooner.expiresAtMs >= item.expiresAtMs) return
      this.#swap(item, sooner)
    }
  }

  /** The item above goes down, the one below goes up. */
  #swap(above: T, below: T): void {
    const { place } = above
    this.#put(above, below.place)
    this.#put(below, place)
  }

  #put(item: T, place: number): void {
    item.place = place
    this.#heap[place] = item
  }
}
