import { encodeEvent, formatEventId, type EventId } from '@millrace/protocol'
import type { StoredEvent } from './log.ts'
import type { SubscribeRequest } from './subscribe-request.ts'

/** How events look on a stream: bit 0, `event` carries the topic; bit 1, `data` is the envelope. */
export type Variant = 0 | 1 | 2 | 3

export const VARIANTS = [0, 1, 2, 3] as const

const encoder = new TextEncoder()

export function variantOf(request: Pick<SubscribeRequest, 'nameBy' | 'envelope'>): Variant {
  if (request.envelope) return request.nameBy === 'topic' ? 3 : 2
  return request.nameBy === 'topic' ? 1 : 0
}

/** An event encoded for the wire, once for each look that anybody asked for. */
export class Frame {
  readonly event: StoredEvent
  readonly id: EventId
  /** When this node got it, by {@link Clock.now}. */
  readonly arrivedAtMs: number
  readonly #encoded: (Uint8Array | undefined)[] = [undefined, undefined, undefined, undefined]

  constructor(event: StoredEvent, arrivedAtMs: number) {
    this.event = event
    this.id = formatEventId(event.position)
    this.arrivedAtMs = arrivedAtMs
  }

  get seq(): number {
    return this.event.position.seq
  }

  /** About what the frame holds in memory: its text, and the plain encoding that is usually made. */
  get heldBytes(): number {
    return 200 + 2 * (this.event.data.length + this.event.topic.length)
  }

  bytes(variant: Variant): Uint8Array {
    return (this.#encoded[variant] ??= encoder.encode(this.#text(variant)))
  }

  #text(variant: Variant): string {
    const { topic, type, data } = this.event
    const name = variant & 1 ? topic : type
    return encodeEvent({
      id: this.id,
      ...(name === undefined ? {} : { event: name }),
      topic,
      data: variant & 2 ? this.#envelope() : data,
    })
  }

  #envelope(): string {
    const { topic, type = 'message', timeMs, data, json } = this.event
    const head = JSON.stringify({ id: this.id, topic, type, time: new Date(timeMs).toISOString() })
    return `${head.slice(0, -1)},"data":${json ? data : JSON.stringify(data)}}`
  }
}
