import type { Selector } from '@millrace/protocol'

/**
 * Where a stream starts that brings no id, and how one goes on after a gap: at what comes now, at the last event of each
 * topic, or at all that is kept.
 */
export type From = 'now' | 'snapshot' | 'earliest'

/**
 * What happens to a live subscriber that does not keep up: it reads on from the log as it drains, it jumps to the head
 * with a notice once it has drained, or it is cut.
 */
export type SlowPolicy = 'catch-up' | 'sync' | 'disconnect'

/** What a client asks for, checked. */
export interface SubscribeRequest {
  /** Topics and patterns; an event that matches several of them is sent once. At least one. */
  readonly selectors: readonly Selector[]
  /** Only events of these types; empty means all. An event without a type has the type `message`. */
  readonly types: readonly string[]
  readonly from: From
  /** The id as the client sent it: hostile input. Undefined or empty when it sent none. */
  readonly lastEventId: string | undefined
  /** Whether the SSE `event` field carries the event's type or its topic. */
  readonly nameBy: 'type' | 'topic'
  /** Whether `data` becomes `{"id","topic","type","time","data"}`. */
  readonly envelope: boolean
  /** The name that the client has chosen for itself, so that publishers can leave it out (`except`). 1 to 128 characters. */
  readonly client?: string | undefined
  /** Who asks; may change the topics of the stream later. @default nobody in particular */
  readonly user?: string | undefined
  /** What happens to this stream when it falls behind. @default the hub's `slowPolicy` */
  readonly slowPolicy?: SlowPolicy | undefined
}
