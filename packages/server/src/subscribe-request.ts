import type { Selector } from '@millrace/protocol'

/** Where a stream starts that brings no id: at what comes now, at the last event of each topic, or at all that is kept. */
export type From = 'now' | 'snapshot' | 'earliest'

/** What happens to a subscriber that does not keep up (DESIGN.md, slow clients). */
export type SlowPolicy = 'catch-up' | 'disconnect'

/** What a client asks for, checked. */
export interface SubscribeRequest {
  /** Topics and patterns; an event that matches several of them is sent once. At least one. */
  readonly selectors: readonly Selector[]
  /** Only events of these types; empty means all. An event without a type has the type `message`. */
  readonly types: readonly string[]
  /** Used when there is no id, and for how to go on after a gap. */
  readonly from: From
  /** The id as the client sent it: hostile input. Undefined or empty when it sent none. */
  readonly lastEventId: string | undefined
  /** Whether the SSE `event` field carries the event's type or its topic. */
  readonly nameBy: 'type' | 'topic'
  /** Whether `data` becomes `{"id","topic","type","time","data"}`. */
  readonly envelope: boolean
}
