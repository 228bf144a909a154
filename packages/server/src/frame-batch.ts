import type { Frame, Variant } from './frame.ts'

/** The frames of one topic and type in a pass, oldest first: whoever is owed one of them is owed all. */
export class FrameBatch {
  readonly frames: Frame[] = []
  readonly #byteLengths: (number | undefined)[] = [undefined, undefined, undefined, undefined]

  /** Adds a frame that is newer than all others. */
  push(frame: Frame): void {
    this.frames.push(frame)
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
export function batchFrames(frames: readonly Frame[]): readonly FrameBatch[] {
  const byTopic = new Map<string, Map<string, FrameBatch>>()
  const batches: FrameBatch[] = []
  for (const frame of frames) {
    const { topic, type = 'message' } = frame.event
    let byType = byTopic.get(topic)
    if (!byType) byTopic.set(topic, (byType = new Map()))
    let batch = byType.get(type)
    if (!batch) {
      byType.set(type, (batch = new FrameBatch()))
      batches.push(batch)
    }
    batch.push(frame)
  }
  return batches
}
