import type { Topic } from '@millrace/protocol'
import { LogError, type NewEvent } from '../log.ts'
import { EventList, type Slot } from './event-list.ts'
import type { LogEntry } from './log-entry.ts'
import type { SnapshotSource } from './snapshot-page.ts'

interface StateValue {
  readonly entry: LogEntry
  readonly slot: Slot
}

/** The newest value of each key of the state topics. No key is ever forgotten. */
export class StateValues implements SnapshotSource {
  readonly newest: EventList = new EventList()
  readonly #maxKeys: number
  readonly #topics = new Map<Topic, Map<string, StateValue>>()

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys
  }

  get keyCount(): number {
    return this.newest.count
  }

  has(topic: Topic): boolean {
    return this.#topics.has(topic)
  }

  *slotsOf(topic: Topic): Generator<Slot, void, undefined> {
    for (const { slot } of this.#topics.get(topic)?.values() ?? []) yield slot
  }

  /**
   * Whether the values, all of state topics, can be stored.
   * @throws LogError `full`
   */
  assertRoomFor(values: readonly NewEvent[]): void {
    // Neither a line break nor what comes after it can be part of a topic.
    const fresh = new Set<string>()
    for (const { topic, key = '' } of values) if (!this.#topics.get(topic)?.has(key)) fresh.add(`${topic}\n${key}`)
    if (this.keyCount + fresh.size <= this.#maxKeys) return
    const mend = 'Publish to keys that are known already, or raise it'
    throw new LogError(
      'full',
      `The state topics have ${this.keyCount} keys, and maxStateKeys is ${this.#maxKeys}. ${mend}.`,
    )
  }

  /** Notes a value, which is newer than all others. Returns the one that it supersedes. */
  noteAppended({ topic, key = '' }: NewEvent, entry: LogEntry): LogEntry | undefined {
    let values = this.#topics.get(topic)
    if (!values) {
      values = new Map()
      this.#topics.set(topic, values)
    }
    const superseded = values.get(key)
    if (superseded) this.newest.drop(superseded.slot)
    const slot: Slot = { seq: entry.seq, event: entry.event }
    values.set(key, { entry, slot })
    this.newest.push(slot)
    return superseded?.entry
  }

  clear(): void {
    this.#topics.clear()
    this.newest.clear()
  }
}
