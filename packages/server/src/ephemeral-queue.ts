import { WireFrame, type FrameEvent } from './frame.ts'

/** Events that may wait for a pass, by count and by characters of data; beyond it the oldest are dropped. */
const MAX_COUNT = 4_096
const MAX_LENGTH = 4 * 1024 * 1024
/** From here on they stand behind every event of the log, in their order: a log that begins at 1 does not get there. */
const FIRST_SEQ = 2 ** 52

/** Ephemeral events that wait for the next pass, in the order in which they came. */
export class EphemeralQueue {
  #frames: WireFrame[] = []
  #length = 0
  #nextSeq = FIRST_SEQ
  /** How many were dropped because too many waited. */
  dropped = 0

  get isEmpty(): boolean {
    return this.#frames.length === 0
  }

  push(event: FrameEvent): void {
    this.#frames.push(new WireFrame(event, undefined, this.#nextSeq++))
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
