import { idOrder } from './id-order.ts'
import type { TabEntry } from './tab-message.ts'

/** At most so many entries wait, and so many characters of their data. */
const MAX_COUNT = 1_000
const MAX_CHARACTERS = 1_048_576

/** What the leader tells while a tab catches up: without a hole from its start on. When it is full its start moves on. */
export class CatchUpBuffer {
  #entries: TabEntry[] = []
  #characters = 0
  /** The id after which it has everything; undefined when it has nothing to go by. */
  start: string | undefined

  begin(start: string | undefined): void {
    this.start = start
    this.#entries = []
    this.#characters = 0
  }

  /** Returns whether all that was in it still is. */
  push(entry: TabEntry): boolean {
    if (this.start === undefined) return true
    this.#entries.push(entry)
    this.#characters += sizeOf(entry)
    let isWhole = true
    // From an id without an order nobody can tell whether it was reached.
    while (
      this.#entries.length > MAX_COUNT ||
      this.#characters > MAX_CHARACTERS ||
      Number.isNaN(idOrder(this.start, this.start))
    ) {
      const gone = this.#entries.shift()
      if (!gone) break
      this.start = gone.id
      this.#characters -= sizeOf(gone)
      isWhole = false
    }
    return isWhole
  }

  /** Whether who is at this id can go on with what is here. */
  isReached(id: string): boolean {
    return this.start !== undefined && idOrder(id, this.start) >= 0
  }

  take(): readonly TabEntry[] {
    const entries = this.#entries
    this.begin(undefined)
    return entries
  }
}

function sizeOf({ event }: TabEntry): number {
  return event?.data.length ?? 0
}
