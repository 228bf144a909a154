import { Frame, type Variant, type WireFrame } from './frame.ts'

/** Traits of frames, as bits: kept from the clients of some name, the last of a topic, of the log. */
export const HAS_EXCEPT = 1
export const HAS_END = 2
export const IS_KEPT = 4

/** The frames of one topic and type in a pass, oldest first: whoever is owed one of them is owed all. */
export class FrameBatch {
  readonly frames: WireFrame[] = []
  /** What some of the frames are. */
  traits: number
  /** How many of the frames are events. */
  eventCount = 0
  /** The newest frame that has an id. */
  last: WireFrame | undefined
  readonly #byteLengths: (number | undefined)[] = [undefined, undefined, undefined, undefined]
  #marks: FrameBatch | undefined

  constructor(isEphemeral = false) {
    this.traits = isEphemeral ? 0 : IS_KEPT
  }

  /** Adds a frame that is newer than all others. */
  push(frame: WireFrame): void {
    this.frames.push(frame)
    if (frame.position) this.last = frame
    if (frame.part !== 'end-mark') this.eventCount++
    if (frame.except !== undefined) this.traits |= HAS_EXCEPT
    if (frame.event.end && frame.part !== 'value') this.traits |= HAS_END
  }

  /** What those get whose type filter leaves out the events: that the topic is finished, if it is. */
  get marks(): FrameBatch | undefined {
    if ((this.traits & HAS_END) === 0) return undefined
    if (this.#marks) return this.#marks
    this.#marks = new FrameBatch()
    for (const frame of this.frames) if (frame instanceof Frame && frame.event.end) this.#marks.push(frame.mark)
    return this.#marks
  }

  /** The length of all frames in this look. To be asked only when the batch is complete. */
  byteLength(variant: Variant): number {
    return (this.#byteLengths[variant] ??= this.#count(variant))
  }

  #count(variant: Variant): number {
    let byteLength = 0
    for (const frame of this.frames) byteLength += frame.bytes(variant).byteLength
    return byteLength
  }
}

/** Sorts frames into batches, in the order of their first frames. */
export function batchFrames(frames: readonly WireFrame[], isEphemeral = false): readonly FrameBatch[] {
  const byTopic = new Map<string, Map<string, FrameBatch>>()
  const batches: FrameBatch[] = []
  for (const frame of frames) {
    const { topic, type = 'message' } = frame.event
    let byType = byTopic.get(topic)
    if (!byType) byTopic.set(topic, (byType = new Map()))
    let batch = byType.get(type)
    if (!batch) {
      byType.set(type, (batch = new FrameBatch(isEphemeral)))
      batches.push(batch)
    }
    batch.push(frame)
  }
  return batches
}
