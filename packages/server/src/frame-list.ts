import type { Frame, Variant } from './frame.ts'
import { joinPayload, type Payload } from './payload.ts'

/**
 * A list of frames that is shared by all who are owed the same frames: adding the same frame to the same list gives
 * the same list, so that its payload is made once, however many audiences and members it goes to.
 */
export class FrameList {
  readonly last: Frame | undefined
  readonly byteLength: number
  readonly length: number
  readonly #parent: FrameList | undefined
  readonly #variant: Variant
  #latest: FrameList | undefined
  #others: Map<Frame, FrameList> | undefined
  #payload: Payload | undefined

  private constructor(variant: Variant, parent: FrameList | undefined, frame: Frame | undefined) {
    this.#variant = variant
    this.#parent = parent
    this.last = frame
    this.length = parent ? parent.length + 1 : 0
    this.byteLength = parent && frame ? parent.byteLength + frame.bytes(variant).byteLength : 0
  }

  static empty(variant: Variant): FrameList {
    return new FrameList(variant, undefined, undefined)
  }

  /** This list and one more frame. */
  plus(frame: Frame): FrameList {
    if (this.#latest?.last === frame) return this.#latest
    const known = this.#others?.get(frame)
    if (known) return known
    const list = new FrameList(this.#variant, this, frame)
    if (this.#latest?.last) (this.#others ??= new Map()).set(this.#latest.last, this.#latest)
    this.#latest = list
    return list
  }

  /** The frames' bytes, joined. The list must not be empty. */
  payload(): Payload {
    return (this.#payload ??= joinPayload(this.#parts(), this.byteLength))
  }

  #parts(): Uint8Array[] {
    const parts: Uint8Array[] = []
    let list: FrameList = this
    while (list.#parent && list.last) {
      parts.push(list.last.bytes(this.#variant))
      list = list.#parent
    }
    return parts.reverse()
  }
}
