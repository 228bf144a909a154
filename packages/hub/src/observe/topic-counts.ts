export interface TopicCount {
  /** Events and bytes of data stored since the hub started. */
  readonly events: number
  readonly bytes: number
  /** Milliseconds since 1970. */
  readonly firstAtMs: number
}

const MAX_TOPICS = 100_000

/** Counts what is published by topic, for the administration: metrics have no topics, which are without number. */
export class TopicCounts {
  /** The topic that was quiet for longest first. */
  readonly #counts = new Map<string, TopicCount>()

  of(topic: string): TopicCount | undefined {
    return this.#counts.get(topic)
  }

  add(topic: string, byteLength: number): void {
    const known = this.#counts.get(topic)
    this.#counts.delete(topic)
    this.#counts.set(topic, {
      events: (known?.events ?? 0) + 1,
      bytes: (known?.bytes ?? 0) + byteLength,
      firstAtMs: known?.firstAtMs ?? Date.now(),
    })
    if (this.#counts.size <= MAX_TOPICS) return
    for (const quietest of this.#counts.keys()) {
      this.#counts.delete(quietest)
      return
    }
  }
}
