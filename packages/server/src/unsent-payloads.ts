import type { Payload } from './payload.ts'

/** A list that was longer is made anew, when nothing waits or half of its places are empty. */
const MAX_IDLE_COUNT = 32

/**
 * The payloads of which some bytes wait in one transport. It is told how many bytes wait; which payloads those are of
 * follows, for they leave in order. Where the transport counts framing too, a payload may be held for a little too long.
 */
export class UnsentPayloads {
  #payloads: (Payload | undefined)[] = []
  /** Those that wait stand from `#first` up to `#end`. */
  #first = 0
  #end = 0
  #byteLength = 0

  /** Notes a payload that was accepted, after which so many bytes wait. */
  add(payload: Payload, waitingBytes: number): void {
    this.#payloads[this.#end++] = payload
    this.#byteLength += payload.bytes.byteLength
    this.trim(waitingBytes)
  }

  /** Lets go of what has left for certain when only so many bytes wait. */
  trim(waitingBytes: number): void {
    while (this.#first < this.#end) {
      const byteLength = this.#payloads[this.#first]?.bytes.byteLength ?? 0
      if (waitingBytes > 0 && this.#byteLength - byteLength < waitingBytes) break
      this.#byteLength -= byteLength
      this.#payloads[this.#first++] = undefined
    }
    if (this.#first > 0) this.#closeUp()
  }

  /** Oldest first. */
  get waiting(): readonly Payload[] {
    return this.#payloads.filter((payload) => payload !== undefined)
  }

  #closeUp(): void {
    const count = this.#end - this.#first
    if (count > 1 && (this.#first <= MAX_IDLE_COUNT || count > this.#first)) return
    if (this.#payloads.length > MAX_IDLE_COUNT) this.#payloads = this.#payloads.slice(this.#first, this.#end)
    else if (count === 1) {
      this.#payloads[0] = this.#payloads[this.#first]
      this.#payloads[this.#first] = undefined
    }
    this.#first = 0
    this.#end = count
  }
}
