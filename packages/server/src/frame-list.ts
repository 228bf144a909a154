import { FrameBatch, HAS_END, HAS_EXCEPT, IS_KEPT } from './frame-batch.ts'
import { Frame, type Variant, type WireFrame } from './frame.ts'
import { joinPayload, type Payload } from './payload.ts'

/**
 * The frames of some batches of a pass, shared by all who are owed the same: adding the same batch to the same list
 * gives the same list, so that its payload is made once, however many audiences and members it goes to.
 */
export class FrameList {
  /** The newest frame that has an id. */
  readonly last: WireFrame | undefined
  readonly byteLength: number
  /** How many events are in it. */
  readonly length: number
  /** What some of the frames are, in bits: one number is less to make for each of ten thousand lists. */
  readonly #traits: number
  readonly #variant: Variant
  readonly #parent: FrameList | undefined
  readonly #batch: FrameBatch | undefined
  /** The list made last of this one and another batch: nearly always the one that is asked for next. */
  #latest: FrameList | undefined
  #others: Map<FrameBatch, FrameList> | undefined
  #payload: Payload | undefined
  #byClient: Map<string, FrameList | undefined> | undefined

  private constructor(variant: Variant, parent: FrameList | undefined, batch: FrameBatch | undefined) {
    this.#variant = variant
    this.#parent = parent
    this.#batch = batch
    this.last = later(parent?.last, batch?.last)
    this.length = (parent?.length ?? 0) + (batch?.eventCount ?? 0)
    this.byteLength = (parent?.byteLength ?? 0) + (batch?.byteLength(variant) ?? 0)
    this.#traits = (parent ? parent.#traits : 0) | (batch?.traits ?? 0)
  }

  /** Whether a frame is kept from the clients of some name. */
  get hasExcept(): boolean {
    return (this.#traits & HAS_EXCEPT) !== 0
  }

  /** Whether some topic is finished by a frame. */
  get hasEnd(): boolean {
    return (this.#traits & HAS_END) !== 0
  }

  /** Whether no frame is of the log: who is behind does without them. */
  get isEphemeral(): boolean {
    return (this.#traits & IS_KEPT) === 0
  }

  static empty(variant: Variant): FrameList {
    return new FrameList(variant, undefined, undefined)
  }

  /** The frames of this list and of one more batch, which must be complete. */
  plus(batch: FrameBatch): FrameList {
    const latest = this.#latest
    if (latest && latest.#batch === batch) return latest
    const known = this.#others?.get(batch)
    if (known) return known
    const list = new FrameList(this.#variant, this, batch)
    if (latest && latest.#batch) (this.#others ??= new Map()).set(latest.#batch, latest)
    this.#latest = list
    return list
  }

  /** The frames that are sent to a client of this name, without those that leave it out. Undefined when that is none. */
  forClient(client: string | undefined): FrameList | undefined {
    if (client === undefined || !this.hasExcept) return this
    this.#byClient ??= new Map()
    if (!this.#byClient.has(client)) this.#byClient.set(client, this.#filter(client))
    return this.#byClient.get(client)
  }

  /** The frames' bytes, oldest first. The list must not be empty. */
  payload(): Payload {
    return (this.#payload ??= this.#join())
  }

  #join(): Payload {
    const parts = this.#frames().map((frame) => frame.bytes(this.#variant))
    return joinPayload(parts, this.byteLength)
  }

  /** Oldest first. */
  #frames(): WireFrame[] {
    const frames: WireFrame[] = []
    for (let list: FrameList | undefined = this; list && list.#batch; list = list.#parent) {
      frames.push(...list.#batch.frames)
    }
    return frames.sort((one, other) => one.seq - other.seq)
  }

  /** Who is not sent the last event of a topic is told nevertheless that it is finished. */
  #filter(client: string): FrameList | undefined {
    const batch = new FrameBatch(this.isEphemeral)
    let isWhole = true
    for (const frame of this.#frames()) {
      const isKept = frame.except !== client
      if (!isKept) isWhole = false
      if (isKept) batch.push(frame)
      else if (frame instanceof Frame && frame.event.end) batch.push(frame.mark)
    }
    if (isWhole) return this
    return batch.frames.length === 0 ? undefined : new FrameList(this.#variant, undefined, batch)
  }
}

function later(one: WireFrame | undefined, other: WireFrame | undefined): WireFrame | undefined {
  if (!other) return one
  return one && one.seq > other.seq ? one : other
}
