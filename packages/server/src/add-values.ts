import type { Position } from '@millrace/protocol'
import type { Frame, WireFrame } from './frame.ts'
import { indexAfter } from './looked-up-values.ts'
import type { Reading } from './reading.ts'
import type { StateValues } from './state-values.ts'
import type { Subscriber } from './subscriber.ts'

/**
 * Adds to `frames` the values of state topics that are owed at the end of a catch-up, without ids, as many as fit. They
 * are read like a log from which all but the newest of each key was taken out: a value that changes meanwhile moves to
 * its end. What has finished its topic says so. False: there are more.
 */
export function addValues(
  standing: StateValues,
  { audience, request, roomBytes }: Subscriber,
  reading: Reading,
  frames: WireFrame[],
  end: Position,
): boolean {
  const { variant } = audience
  const { valuesAfter } = reading
  const values = standing.matching(audience)
  let room = roomBytes
  for (const frame of frames) room -= frame.bytes(variant).byteLength
  for (let i = indexAfter(values, valuesAfter?.epoch === end.epoch ? valuesAfter.seq : -1); i < values.length; i++) {
    const frame = values[i]
    if (!frame) break
    const part = isKnown(reading, frame) ? undefined : standing.partOf(frame, audience, request.client)
    if (part) {
      room -= part.bytes(variant).byteLength
      if (room < 0 && frames.length > 0) return false
      frames.push(part)
      reading.noteValue(part)
    }
    reading.valuesAfter = frame.position
  }
  reading.valuesAfter = end
  return true
}

/** Whether the value was written before the topics were changed. */
function isKnown({ keptValues }: Reading, frame: Frame): boolean {
  if (keptValues?.after.epoch !== frame.position.epoch || frame.seq > keptValues.after.seq) return false
  return keptValues.audience.matchesTopic(frame.event.topic)
}
