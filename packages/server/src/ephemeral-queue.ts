import { WireFrame, type FrameEvent } from './frame.ts'

/** Events that may wait for a pass, by count and by characters of data; beyond it the oldest are dropped. */
const MAX_COUNT = 4_096
const MAX_LENGTH = 4 * 1024 * 1024
/** Stands behind every event of the log. */
const LAST_SEQ = Number.MAX_SAFE_INTEGER

/** Ephemeral events that wait for the next pass, in the order in which they came. */
export class EphemeralQueue {
  #frames: WireFrame[] = []
  #length = 0
  /** How many were dropped because too many waited. */
  dropped = 0

  get isEmpty(): boolean {
    return this.#frames.length === 0
  }

  push(event: FrameEvent): void {
    this.#frames.push(new WireFrame(event, undefined, LAST_SEQ))
    this.#length += event.data.length
    while (this.#frames.length > MAX_COUNT || this.#length > MAX_LENGTH) {
      this.remove(1)
      this.dropped++
    }
  }

  first(count: number): readonly WireFrame[] {
    return this.#frames.slice(0, count)
  }

  /** Takes out the oldest. */
  remove(count: number): void {
    for (const { event } of this.#frames.splice(0, count)) this.#length -= event.data.length
  }

  clear(): void {
    this.#frames = []
    this.#length = 0
  }
}
