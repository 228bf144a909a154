import { Frame, type Variant, type WireFrame } from './frame.ts'

/** The frames of one topic and type in a pass, oldest first: whoever is owed one of them is owed all. */
export class FrameBatch {
  readonly frames: WireFrame[] = []
  /** Whether the frames are of no log: who is behind does without them. */
  readonly isEphemeral: boolean
  /** Whether a frame is kept from the clients of some name. */
  hasExcept = false
  /** How many of the frames are events. */
  eventCount = 0
  /** Whether the topic is finished by one of the frames. */
  hasEnd = false
  readonly #byteLengths: (number | undefined)[] = [undefined, undefined, undefined, undefined]
  #marks: FrameBatch | undefined

  constructor(isEphemeral = false) {
    this.isEphemeral = isEphemeral
  }

  /** Adds a frame that is newer than all others. */
  push(frame: WireFrame): void {
    this.frames.push(frame)
    if (frame.part !== 'end-mark') this.eventCount++
    if (frame.except !== undefined) this.hasExcept = true
    if (frame.event.end && frame.part !== 'value') this.hasEnd = true
  }

  /** What those get whose type filter leaves out the events: that the topic is finished, if it is. */
  get marks(): FrameBatch | undefined {
    if (!this.hasEnd) return undefined
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
