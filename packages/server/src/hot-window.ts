import type { Position } from '@millrace/protocol'
import type { Clock } from './clock.ts'
import type { Frame } from './frame.ts'

export interface HotWindowLimits {
  readonly maxCount: number
  readonly maxBytes: number
  /** Milliseconds. */
  readonly maxAgeMs: number | false
}

/**
 * The newest frames of the log, without a hole, ready to send. It starts after `base` and ends at `end`; both are
 * positions of real entries, so that an id can be judged here without asking the log. Its limits are not wider than the
 * log's retention: else it would go on handing out what is not kept any more.
 */
export class HotWindow {
  readonly #limits: HotWindowLimits
  readonly #clock: Clock
  #base: Position
  #frames: (Frame | undefined)[] = []
  /** Index in `#frames` of the oldest frame; what lies before it is dropped now and then. */
  #first = 0
  #heldBytes = 0
  /** What comes after it is still to be sent. */
  #sentSeq: number

  constructor(base: Position, limits: HotWindowLimits, clock: Clock) {
    this.#base = base
    this.#limits = limits
    this.#clock = clock
    this.#sentSeq = base.seq
  }

  get base(): Position {
    return this.#base
  }

  get end(): Position {
    return this.#frames.at(-1)?.position ?? this.#base
  }

  get count(): number {
    return this.#frames.length - this.#first
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Whether reading on from the position can be done here: it is a place of this window, and of the same history. */
  contains(position: Position): boolean {
    this.trim(this.#sentSeq)
    if (position.epoch !== this.#base.epoch || position.seq > this.end.seq || position.seq < this.#base.seq)
      return false
    const here = position.seq === this.#base.seq ? this.#base : this.frameAt(position.seq)?.position
    return here?.check === position.check
  }

  frameAt(seq: number): Frame | undefined {
    const offset = seq - this.#base.seq - 1
    return offset < 0 ? undefined : this.#frames[this.#first + offset]
  }

  /** The frames that follow a place of this window, oldest first. */
  framesAfter(seq: number, maxCount: number): Frame[] {
    const frames: Frame[] = []
    for (let next = seq + 1; frames.length < maxCount; next++) {
      const frame = this.frameAt(next)
      if (!frame) break
      frames.push(frame)
    }
    return frames
  }

  /** Adds the frame that follows `end`. */
  push(frame: Frame): void {
    this.#frames.push(frame)
    this.#heldBytes += frame.heldBytes
  }

  /** Drops the oldest frames down to the limits, but none after `keepAfterSeq`: those are still to be sent. */
  trim(keepAfterSeq: number): void {
    this.#sentSeq = keepAfterSeq
    const { maxCount, maxBytes, maxAgeMs } = this.#limits
    const bornAfterMs = maxAgeMs === false ? Number.NEGATIVE_INFINITY : this.#clock.now() - maxAgeMs
    for (;;) {
      const oldest = this.#frames[this.#first]
      if (!oldest || oldest.seq > keepAfterSeq) break
      const isOver = this.count > maxCount || this.#heldBytes > maxBytes || oldest.arrivedAtMs < bornAfterMs
      if (!isOver) break
      this.#base = oldest.position
      this.#heldBytes -= oldest.heldBytes
      this.#frames[this.#first] = undefined
      this.#first++
    }
    if (this.#first > 1024 && this.#first * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#first)
      this.#first = 0
    }
  }

  /** Empties the window; it goes on after `base`. */
  reset(base: Position): void {
    this.#base = base
    this.#sentSeq = base.seq
    this.#frames = []
    this.#first = 0
    this.#heldBytes = 0
  }
}
