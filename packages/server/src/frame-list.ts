import type { FrameBatch } from './frame-batch.ts'
import type { Frame, Variant } from './frame.ts'
import { joinPayload, type Payload } from './payload.ts'

/**
 * The frames of some batches of a pass, shared by all who are owed the same: adding the same batch to the same list
 * gives the same list, so that its payload is made once, however many audiences and members it goes to.
 */
export class FrameList {
  /** The newest frame. */
  readonly last: Frame | undefined
  readonly byteLength: number
  readonly length: number
  readonly #variant: Variant
  readonly #parent: FrameList | undefined
  readonly #batch: FrameBatch | undefined
  /** The list made last of this one and another batch: nearly always the one that is asked for next. */
  #latest: FrameList | undefined
  #others: Map<FrameBatch, FrameList> | undefined
  #payload: Payload | undefined

  private constructor(variant: Variant, parent: FrameList | undefined, batch: FrameBatch | undefined) {
    this.#variant = variant
    this.#parent = parent
    this.#batch = batch
    this.last = later(parent?.last, batch?.frames.at(-1))
    this.length = (parent?.length ?? 0) + (batch?.frames.length ?? 0)
    this.byteLength = (parent?.byteLength ?? 0) + (batch?.byteLength(variant) ?? 0)
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

  /** The frames' bytes, oldest first. The list must not be empty. */
  payload(): Payload {
    return (this.#payload ??= this.#join())
  }

  #join(): Payload {
    const frames: Frame[] = []
    for (let list: FrameList | undefined = this; list && list.#batch; list = list.#parent) {
      frames.push(...list.#batch.frames)
    }
    frames.sort((one, other) => one.seq - other.seq)
    const parts = frames.map((frame) => frame.bytes(this.#variant))
    return joinPayload(parts, this.byteLength)
  }
}

function later(one: Frame | undefined, other: Frame | undefined): Frame | undefined {
  return one && (!other || one.seq > other.seq) ? one : other
}
