const MAX_KEPT_BYTES = 16 * 1024 * 1024

/** What was sent of one answer, kept for rules that cut and for whoever looks at it afterwards. */
export class SentBytes {
  readonly #chunks: Buffer[] = []
  #keptBytes = 0
  /** How many bytes there were, those included that are not kept. */
  byteLength = 0

  append(bytes: Uint8Array): void {
    this.byteLength += bytes.length
    const kept = Buffer.from(bytes.subarray(0, MAX_KEPT_BYTES - this.#keptBytes))
    this.#keptBytes += kept.length
    if (kept.length > 0) this.#chunks.push(kept)
  }

  /** All that is kept, in one piece. */
  get bytes(): Buffer {
    if (this.#chunks.length > 1) this.#chunks.splice(0, this.#chunks.length, Buffer.concat(this.#chunks))
    return this.#chunks[0] ?? Buffer.alloc(0)
  }
}
