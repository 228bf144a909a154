import type { NewEventColumns, NewEventExtra, Place } from '../messages.ts'
import type { DedupeTable } from './dedupe-table.ts'
import type { StateValues } from './state-values.ts'
import type { TopicTable } from './topic-table.ts'

/** The events of one append within its group. */
export interface AppendPart {
  readonly from: number
  /** The place after its last event. */
  readonly to: number
  readonly publisher: string
}

/**
 * What is to be done with an append. `duplicates`: events, by their place in the group, that are not stored again: where
 * they were stored, or the place in the group of the event that they repeat. `passes`: time makes room.
 */
export type Verdict =
  | { readonly kind: 'store'; readonly duplicates: ReadonlyMap<number, Place | number> }
  | { readonly kind: 'refuse'; readonly message: string; readonly passes: boolean }

const NO_DUPLICATES: ReadonlyMap<number, Place | number> = new Map()

/** Decides what of an append is stored: what repeats an event is not, and nothing is when a bound is reached. */
export class AppendGate {
  readonly #topics: TopicTable
  readonly #values: StateValues
  readonly #dedupes: DedupeTable
  readonly #bounds: { readonly maxStateKeys: number; readonly maxDedupeKeys: number }

  constructor(parts: {
    topics: TopicTable
    values: StateValues
    dedupes: DedupeTable
    bounds: { readonly maxStateKeys: number; readonly maxDedupeKeys: number }
  }) {
    this.#topics = parts.topics
    this.#values = parts.values
    this.#dedupes = parts.dedupes
    this.#bounds = parts.bounds
  }

  /** To be called within the transaction that has stored what came before. Most appends need no look at the file. */
  judge(
    events: NewEventColumns,
    extras: ReadonlyMap<number, NewEventExtra> | undefined,
    part: AppendPart,
    ageMs: number,
  ): Verdict {
    let duplicates: ReadonlyMap<number, Place | number> = NO_DUPLICATES
    if (extras) {
      const found = this.#findDuplicates(extras, part, ageMs)
      if (typeof found === 'string') return { kind: 'refuse', message: found, passes: true }
      duplicates = found
    }
    if (this.#topics.hasStateRules) {
      const newKeys = this.#countNewKeys(events, extras, part, duplicates)
      const { maxStateKeys } = this.#bounds
      if (newKeys > 0 && this.#values.count + newKeys > maxStateKeys) {
        const mend = 'publish to keys that are there, or raise it'
        return {
          kind: 'refuse',
          message: `The state topics have ${this.#values.count} keys, and may have ${maxStateKeys} (maxStateKeys): ${mend}.`,
          passes: false,
        }
      }
    }
    return { kind: 'store', duplicates }
  }

  /** The events that repeat one; a message when there are too many that do not. */
  #findDuplicates(
    extras: ReadonlyMap<number, NewEventExtra>,
    { from, to, publisher }: AppendPart,
    ageMs: number,
  ): Map<number, Place | number> | string {
    const duplicates = new Map<number, Place | number>()
    const fresh = new Map<string, number>()
    for (let i = from; i < to; i++) {
      const key = extras.get(i)?.dedupeKey
      if (key === undefined) continue
      const first = fresh.get(key)
      const found = first === undefined ? this.#dedupes.find(publisher, key, ageMs) : first
      if (found === undefined) fresh.set(key, i)
      else duplicates.set(i, found)
    }
    const { maxDedupeKeys } = this.#bounds
    const isTooMany = (): boolean => fresh.size > 0 && this.#dedupes.count + fresh.size > maxDedupeKeys
    if (isTooMany()) this.#dedupes.makeRoom(fresh.size, ageMs)
    if (!isTooMany()) return duplicates
    const mend = 'wait until some are older than dedupeWindowMs, or raise it'
    return `${this.#dedupes.count} dedupe keys are remembered, and ${maxDedupeKeys} may be (maxDedupeKeys): ${mend}.`
  }

  #countNewKeys(
    { topics }: NewEventColumns,
    extras: ReadonlyMap<number, NewEventExtra> | undefined,
    { from, to }: AppendPart,
    duplicates: ReadonlyMap<number, unknown>,
  ): number {
    const keys = new Set<string>()
    for (let i = from; i < to; i++) {
      const topic = topics[i] ?? ''
      if (duplicates.has(i) || !this.#topics.isState(topic)) continue
      const key = extras?.get(i)?.key ?? ''
      const record = this.#topics.byName(topic)
      if (!record || !this.#values.has(record.id, key)) keys.add(`${topic}\n${key}`)
    }
    return keys.size
  }
}
