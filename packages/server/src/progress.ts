/**
 * Tells from numbers alone how a transport gets rid of what it accepted. It knows what it is told: between two looks
 * bytes count as unmoved.
 *
 * Times are those of one clock that only rises, in milliseconds.
 */
export class Progress {
  /** Bytes accepted so far. */
  acceptedBytes = 0
  /** Bytes that have left, and when that was last seen to rise. */
  #leftBytes = 0
  #leftAtMs: number
  /** All that had been accepted at the last mark, and when that was. */
  #markBytes = 0
  #markedAtMs: number

  constructor(nowMs: number) {
    this.#leftAtMs = nowMs
    this.#markedAtMs = nowMs
  }

  /** Notes that `byteLength` bytes are accepted while `waitingBytes` wait before them. */
  accept(byteLength: number, waitingBytes: number, nowMs: number): void {
    this.acceptedBytes += byteLength
    if (waitingBytes > 0) return
    this.#leftAtMs = nowMs
    this.#markedAtMs = nowMs
    this.#markBytes = this.acceptedBytes
  }

  /** Notes how many bytes wait. */
  look(waitingBytes: number, nowMs: number): void {
    const leftBytes = this.acceptedBytes - waitingBytes
    if (waitingBytes === 0 || leftBytes > this.#leftBytes) this.#leftAtMs = nowMs
    this.#leftBytes = leftBytes
    if (waitingBytes > 0 && leftBytes < this.#markBytes) return
    this.#markedAtMs = nowMs
    this.#markBytes = this.acceptedBytes
  }

  /** How long no byte has left although some wait. */
  stuckMs(nowMs: number): number {
    return nowMs - this.#leftAtMs
  }

  /** How long some byte has been waiting, at least. */
  unsentMs(nowMs: number): number {
    return nowMs - this.#markedAtMs
  }
}
