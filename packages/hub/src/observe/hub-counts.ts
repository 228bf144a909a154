import type { HubObserver, NewEvent, PollOutcome, Subscriber } from '@millrace/server'
import { TopicCounts } from './topic-counts.ts'

/** What the counts ask the hub when they are read. */
export interface CountedHub {
  subscribers(): Iterable<Pick<Subscriber, 'events' | 'bytes'>>
}

/** Why an event that came over HTTP was not stored. */
export const PUBLISH_FAILURES = [
  'invalid',
  'too_large',
  'full',
  'overloaded',
  'unavailable',
  'closed',
  'fault',
] as const
export type PublishFailure = (typeof PUBLISH_FAILURES)[number]

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
  /** Events that were not stored, by why. */
  readonly publishFailures: Map<PublishFailure, number> = new Map(PUBLISH_FAILURES.map((why) => [why, 0]))
  gaps = 0
  slow = 0
  refused = 0
  polls = 0
  polledEvents = 0
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

  onPolled(_outcome: PollOutcome, events: number): void {
    this.polls++
    this.polledEvents += events
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

  /** Events that a publisher was told are not stored, or not known to be. */
  onNotPublished(why: PublishFailure, count: number): void {
    this.publishFailures.set(why, (this.publishFailures.get(why) ?? 0) + count)
  }
}
