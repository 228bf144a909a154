import { LF } from './line-end.ts'
import { utf8Decoder } from './utf8-decoder.ts'

/** Room for the lines that arrive in small pieces. Longer lines are kept in parts, so that nothing is copied again and again. Bytes. */
const ROOM_BYTES = 4096
/** Up to this size a loop copies faster than a call does. Bytes. */
const SMALL_BYTES = 32

/** The bytes of a line whose end has not come yet: copies, so that no chunk is kept alive. */
export class LineBuffer {
  #byteLength = 0
  /** What does not fit into the room, in order, before what is in the room. */
  #parts: Uint8Array[] = []
  #room: Uint8Array | undefined
  #roomUsed = 0

  get byteLength(): number {
    return this.#byteLength
  }

  append(bytes: Uint8Array, from: number, to: number): void {
    const size = to - from
    this.#byteLength += size
    const room = (this.#room ??= new Uint8Array(ROOM_BYTES))
    // One byte is spare for the line end.
    if (this.#roomUsed + size >= ROOM_BYTES) {
      this.#parts.push(room.slice(0, this.#roomUsed), new Uint8Array(bytes.subarray(from, to)))
      this.#roomUsed = 0
      return
    }
    if (size > SMALL_BYTES) room.set(bytes.subarray(from, to), this.#roomUsed)
    else for (let i = from, j = this.#roomUsed; i < to; i++, j++) room[j] = bytes[i] as number
    this.#roomUsed += size
  }

  /** Decodes the line, with an LF after it, and is empty again. */
  take(): string {
    const room = this.#room ?? new Uint8Array(1)
    room[this.#roomUsed] = LF
    const rest = room.subarray(0, this.#roomUsed + 1)
    const text = utf8Decoder.decode(
      this.#parts.length === 0 ? rest : join([...this.#parts, rest], this.#byteLength + 1),
    )
    this.clear()
    return text
  }

  clear(): void {
    this.#byteLength = 0
    this.#roomUsed = 0
    if (this.#parts.length > 0) this.#parts = []
  }
}

function join(parts: readonly Uint8Array[], byteLength: number): Uint8Array {
  const whole = new Uint8Array(byteLength)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
