import type { Position } from '@millrace/protocol'
import { LogError, type EventContent, type NewEvent } from '../log.ts'

interface Remembered {
  readonly id: string
  readonly position: Position
  readonly storedAtMs: number
}

/** What an event is a repetition of: one that was stored earlier, or the one at this index of the same list. */
type Repetition = Position | number

/** Of each event of a list what it repeats; undefined where it is new. */
export type Repetitions = readonly (Repetition | undefined)[]

/** What has expired is swept out when there is more of it than of the rest, and at least this much. */
const MIN_SWEEP = 1024

/** The `dedupeKey`s that were stored within the window, by publisher. */
export class DedupeMemory {
  readonly #windowMs: number
  readonly #maxKeys: number
  readonly #byId = new Map<string, Remembered>()
  /** In the order of storing, from index `#first` on. */
  #order: Remembered[] = []
  #first = 0

  constructor(windowMs: number, maxKeys: number) {
    this.#windowMs = windowMs
    this.#maxKeys = maxKeys
  }

  get count(): number {
    return this.#byId.size
  }

  /** When the oldest key is forgotten, by the clock that ages go by; undefined when there is none. */
  get nextExpiryMs(): number | undefined {
    const oldest = this.#order[this.#first]
    return oldest && oldest.storedAtMs + this.#windowMs
  }

  /** Forgets what is older than the window. */
  expire(nowMs: number): void {
    for (let oldest = this.#order[this.#first]; oldest; oldest = this.#order[this.#first]) {
      if (nowMs - oldest.storedAtMs <= this.#windowMs) break
      this.#byId.delete(oldest.id)
      this.#first++
    }
    if (this.#first <= MIN_SWEEP || this.#first <= this.#byId.size) return
    this.#order = this.#order.slice(this.#first)
    this.#first = 0
  }

  /**
   * What the events repeat, or undefined when none of them has a key. Changes nothing.
   * @throws LogError `full` when there is no room to remember the new ones
   */
  find(events: readonly NewEvent[], publisher: string): Repetitions | undefined {
    if (!events.some(({ dedupeKey }) => dedupeKey !== undefined)) return undefined
    const fresh = new Map<string, number>()
    const repetitions = events.map(({ dedupeKey }, i): Repetition | undefined => {
      if (dedupeKey === undefined) return undefined
      const id = idOf(publisher, dedupeKey)
      const known = this.#byId.get(id)?.position ?? fresh.get(id)
      if (known === undefined) fresh.set(id, i)
      return known
    })
    if (this.count + fresh.size <= this.#maxKeys) return repetitions
    const what = `There are ${this.count} dedupe keys of the last ${this.#windowMs} ms, and maxDedupeKeys is ${this.#maxKeys}`
    throw new LogError('full', `${what}. Publish without a dedupeKey, later, or raise it.`, { passes: true })
  }

  /** Remembers the events that were stored, and returns the positions of all, in their order. */
  note(
    events: readonly NewEvent[],
    publisher: string,
    repetitions: Repetitions,
    stored: readonly Position[],
    nowMs: number,
  ): Position[] {
    const positions: Position[] = []
    let next = 0
    for (const [i, { dedupeKey }] of events.entries()) {
      const known = repetitions[i]
      const position = typeof known === 'number' ? positions[known] : (known ?? stored[next++])
      // There is one for each new event, and an index is that of an earlier one.
      if (!position) continue
      positions.push(position)
      if (known === undefined && dedupeKey !== undefined) this.#remember(idOf(publisher, dedupeKey), position, nowMs)
    }
    return positions
  }

  clear(): void {
    this.#byId.clear()
    this.#order = []
    this.#first = 0
  }

  #remember(id: string, position: Position, storedAtMs: number): void {
    const remembered: Remembered = { id, position, storedAtMs }
    this.#byId.set(id, remembered)
    this.#order.push(remembered)
  }
}

/** No two pairs have the same. */
function idOf(publisher: string, dedupeKey: string): string {
  return `${publisher.length} ${publisher}${dedupeKey}`
}

/** What is stored of an event. */
export function withoutDedupeKey(event: NewEvent): EventContent {
  if (event.dedupeKey === undefined) return event
  const { dedupeKey: _, ...content } = event
  return content
}
