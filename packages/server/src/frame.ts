import { encodeEvent, formatEventId, type EventId, type Position } from '@millrace/protocol'
import type { EventContent, StoredEvent } from './log.ts'
import type { SubscribeRequest } from './subscribe-request.ts'

/** How events look on a stream: bit 0, `event` carries the topic; bit 1, `data` is the envelope. */
export type Variant = 0 | 1 | 2 | 3

export const VARIANTS = [0, 1, 2, 3] as const

const encoder = new TextEncoder()

export function variantOf(request: Pick<SubscribeRequest, 'nameBy' | 'envelope'>): Variant {
  if (request.envelope) return request.nameBy === 'topic' ? 3 : 2
  return request.nameBy === 'topic' ? 1 : 0
}

/** What an event says, and when it was published. */
export interface FrameEvent extends EventContent {
  /** Milliseconds since 1970. */
  readonly timeMs: number
}

/**
 * What of an event is written: all of it, all but that its topic is finished (which need not be so any more when a value
 * of a state topic comes late), or only that.
 */
export type FramePart = 'event' | 'value' | 'end-mark'

/** An event encoded for the wire, once for each look that anybody asked for. It need not have a place in the log. */
export class WireFrame {
  readonly event: FrameEvent
  /** Where the event is in the log, if it vouches for that. */
  readonly position: Position | undefined
  readonly id: EventId | undefined
  /** Its place among the frames that are written together. */
  readonly seq: number
  /** The `client` name that is not sent this frame. */
  readonly except: string | undefined
  readonly part: FramePart
  readonly #encoded: (Uint8Array | undefined)[] = [undefined, undefined, undefined, undefined]

  constructor(event: FrameEvent, position: Position | undefined, seq: number, part: FramePart = 'event') {
    this.event = event
    this.position = position
    this.id = position && formatEventId(position)
    this.seq = seq
    this.except = part === 'end-mark' ? undefined : event.except
    this.part = part
  }

  bytes(variant: Variant): Uint8Array {
    return (this.#encoded[variant] ??= encoder.encode(this.#text(variant)))
  }

  #text(variant: Variant): string {
    const { event, id } = this
    const mark = event.end && this.part !== 'value' ? endMark(event.topic, id) : ''
    if (this.part === 'end-mark') return mark
    const name = variant & 1 ? event.topic : event.type
    const block = encodeEvent({
      id,
      event: name,
      topic: event.topic,
      data: variant & 2 ? this.#envelope() : event.data,
    })
    return block + mark
  }

  #envelope(): string {
    const { topic, type = 'message', timeMs, data, json } = this.event
    const head = JSON.stringify({ id: this.id ?? null, topic, type, time: new Date(timeMs).toISOString() })
    return `${head.slice(0, -1)},"data":${json ? data : JSON.stringify(data)}}`
  }
}

/** Says that a topic is finished. */
export function endMark(topic: string, id: EventId | undefined): string {
  return encodeEvent({ id, event: 'stream:end', data: JSON.stringify({ topic }) })
}

/** An event of the log. */
export class Frame extends WireFrame {
  declare readonly event: StoredEvent
  declare readonly position: Position
  declare readonly id: EventId
  /** When this node got it, by {@link Clock.now}. */
  readonly arrivedAtMs: number
  /** Whether it is a value of a state topic: nobody is owed it once there is a newer one of its key. */
  readonly isState: boolean
  #withoutId: WireFrame | undefined
  #value: WireFrame | undefined
  #mark: WireFrame | undefined
  #markWithoutId: WireFrame | undefined

  constructor(event: StoredEvent, arrivedAtMs: number, isState = false) {
    super(event, event.position, event.position.seq)
    this.arrivedAtMs = arrivedAtMs
    this.isState = isState
  }

  /** About what the frame holds in memory: its text, and the plain encoding that is usually made. */
  get heldBytes(): number {
    return 200 + 2 * (this.event.data.length + this.event.topic.length)
  }

  /** The same event for where its id would vouch for what was not sent. */
  get withoutId(): WireFrame {
    return (this.#withoutId ??= new WireFrame(this.event, undefined, this.seq))
  }

  /** A value without its id that is not the last event of its topic, or not any more. */
  get value(): WireFrame {
    return (this.#value ??= new WireFrame(this.event, undefined, this.seq, 'value'))
  }

  /** That the topic is finished, for those who are not sent the event itself. Only of an event with `end`. */
  get mark(): WireFrame {
    return (this.#mark ??= new WireFrame(this.event, this.position, this.seq, 'end-mark'))
  }

  /** The same for where its id would vouch for what was not sent. */
  get markWithoutId(): WireFrame {
    return (this.#markWithoutId ??= new WireFrame(this.event, undefined, this.seq, 'end-mark'))
  }
}
