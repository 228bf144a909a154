import type { Position } from '@millrace/protocol'
import type { Recent, RecentLimits, StoredEvent } from '@millrace/server'
import { recentEvents } from '@millrace/server/log-parts'
import type { TailSource } from './sqlite-tail.ts'

/** How far back the newest events are looked for at once: first, when nothing is known of their size, and at most. */
const FIRST_STEP = 8
const MAX_STEP = 512

/** What was read of a range: all that is kept of it, or what is newest of that and within the bytes. */
interface Step {
  readonly events: readonly StoredEvent[]
  readonly bytes: number
}

/** Reads backwards from the head, in steps, until the limits are reached or an event is missing. */
export async function readRecent(head: Position, limits: RecentLimits, scan: TailSource['scan']): Promise<Recent> {
  /** The newest first. */
  const steps: (readonly StoredEvent[])[] = []
  const place = (seq: number): Position => ({ epoch: head.epoch, seq, check: '' })
  let count = 0
  let bytes = 0
  let size = FIRST_STEP
  for (let to = head.seq; to > 0 && count <= limits.maxCount && bytes <= limits.maxBytes;) {
    const from = Math.max(0, to - size)
    const step = await readStep(place(from), place(to), limits.maxBytes, scan)
    steps.push(step.events)
    count += step.events.length
    bytes += step.bytes
    // An event is missing, or does not fit: further back there is nothing for it.
    if (step.events.length < to - from) break
    to = from
    const fitting = Math.ceil(((limits.maxBytes - bytes) * count) / Math.max(1, bytes))
    size = Math.max(1, Math.min(2 * size, MAX_STEP, fitting, limits.maxCount + 1 - count))
  }
  return recentEvents(steps.toReversed().flat(), head, limits)
}

/** Reads a range in as many pages as it takes, and holds no more than the bytes and a page. */
async function readStep(from: Position, to: Position, maxBytes: number, scan: TailSource['scan']): Promise<Step> {
  const events: StoredEvent[] = []
  let bytes = 0
  for (let after = from; after.seq < to.seq;) {
    const page = await scan(after, to, MAX_STEP)
    for (const event of page.events) bytes += event.data.length
    events.push(...page.events)
    // One too many is kept: what follows it can be read on from there.
    while (events.length > 1 && bytes - (events[0]?.data.length ?? 0) > maxBytes)
      bytes -= events.shift()?.data.length ?? 0
    after = page.scannedTo
  }
  return { events, bytes }
}
