import { LF } from './line-end.ts'
import { utf8Decoder } from './utf8-decoder.ts'

/** The room for a line at first, and the most that is kept when a line is done with. Bytes. */
const ROOM_BYTES = 4096
/** Up to this size a loop copies faster than a call does. Bytes. */
const SMALL_BYTES = 32

/** The bytes of a line whose end has not come yet: a copy, so that no chunk is kept alive. */
export class LineBuffer {
  #room = new Uint8Array(ROOM_BYTES)
  #used = 0

  get byteLength(): number {
    return this.#used
  }

  append(bytes: Uint8Array, from: number, to: number): void {
    const used = this.#used
    this.#used += to - from
    // One byte is spare for the line end. Twice the need, so that a byte is moved once on average, however long the line is.
    if (this.#used >= this.#room.length) {
      const room = new Uint8Array(this.#used * 2)
      room.set(this.#room.subarray(0, used))
      this.#room = room
    }
    if (to - from > SMALL_BYTES) this.#room.set(bytes.subarray(from, to), used)
    else for (let i = from; i < to; i++) this.#room[used - from + i] = bytes[i] as number
  }

  /** Decodes the line, with an LF after it, and is empty again. */
  take(): string {
    this.#room[this.#used] = LF
    const text = utf8Decoder.decode(this.#room.subarray(0, this.#used + 1))
    this.clear()
    return text
  }

  clear(): void {
    this.#used = 0
    if (this.#room.length > ROOM_BYTES) this.#room = new Uint8Array(ROOM_BYTES)
  }
}
