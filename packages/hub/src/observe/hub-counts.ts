import type { HubObserver, NewEvent, Subscriber } from '@millrace/server'
import { TopicCounts } from './topic-counts.ts'

/** What the counts ask the hub when they are read. */
export interface CountedHub {
  subscribers(): Iterable<Pick<Subscriber, 'events' | 'bytes'>>
}

/**
 * Counts what happened in a hub since it started. Events and bytes of open streams are summed up when they are asked
 * for, so that a delivery costs nothing here.
 */
export class HubCounts implements HubObserver {
  readonly topics: TopicCounts = new TopicCounts()
  opened = 0
  published = 0
  /** Of data, as UTF-8. */
  publishedBytes = 0
  publishFailures = 0
  gaps = 0
  slow = 0
  refused = 0
  readonly closedBy: Map<string, number> = new Map()
  #goneEvents = 0
  #goneBytes = 0

  /** What was written to streams. */
  delivered(hub: CountedHub): { readonly events: number; readonly bytes: number } {
    let events = this.#goneEvents
    let bytes = this.#goneBytes
    for (const subscriber of hub.subscribers()) {
      events += subscriber.events
      bytes += subscriber.bytes
    }
    return { events, bytes }
  }

  onOpened(): void {
    this.opened++
  }

  onRefused(): void {
    this.refused++
  }

  onSlow(): void {
    this.slow++
  }

  onGap(): void {
    this.gaps++
  }

  onClosed({ state, events, bytes }: Subscriber): void {
    const reason = 'reason' in state ? state.reason : 'client'
    this.closedBy.set(reason, (this.closedBy.get(reason) ?? 0) + 1)
    this.#goneEvents += events
    this.#goneBytes += bytes
  }

  onAppended(events: readonly NewEvent[]): void {
    this.published += events.length
    for (const { topic, data } of events) {
      const byteLength = Buffer.byteLength(data)
      this.publishedBytes += byteLength
      this.topics.add(topic, byteLength)
    }
  }

  onAppendFailed(events: readonly NewEvent[]): void {
    this.publishFailures += events.length
  }
}
