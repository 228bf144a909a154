import type { Topic } from '@millrace/protocol'
import type { StoredEvent } from '../log.ts'
import { EventList, type Slot } from './event-list.ts'
import type { SnapshotSource } from './snapshot-page.ts'

/** The topics whose last event ended them. */
export class EndedTopics implements SnapshotSource {
  /** The last event of each. */
  readonly newest: EventList = new EventList()
  readonly #slots = new Map<Topic, Slot>()

  slotsOf(topic: Topic): Slot[] {
    const slot = this.#slots.get(topic)
    return slot ? [slot] : []
  }

  /** Notes an event, which is newer than all others: it ends its topic or opens it again. */
  noteAppended(event: StoredEvent): void {
    if (this.#slots.size > 0) this.forget(event.topic)
    if (!event.end) return
    const slot: Slot = { seq: event.position.seq, event }
    this.#slots.set(event.topic, slot)
    this.newest.push(slot)
  }

  forget(topic: Topic): void {
    const slot = this.#slots.get(topic)
    if (!slot) return
    this.#slots.delete(topic)
    this.newest.drop(slot)
  }

  clear(): void {
    this.#slots.clear()
    this.newest.clear()
  }
}
