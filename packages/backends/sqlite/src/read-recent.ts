import type { Position } from '@millrace/protocol'
import type { Recent, RecentLimits, StoredEvent } from '@millrace/server'
import { recentEvents } from '@millrace/server/log-parts'
import type { TailSource } from './sqlite-tail.ts'

/** How far back the newest events are looked for at once. */
const STEP_COUNT = 512

/** Reads backwards from the head until the limits are reached or an event is missing. */
export async function readRecent(head: Position, limits: RecentLimits, scan: TailSource['scan']): Promise<Recent> {
  /** The newest step first. */
  const steps: StoredEvent[][] = []
  const place = (seq: number): Position => ({ epoch: head.epoch, seq, check: '' })
  for (let to = head.seq; ;) {
    const from = Math.max(0, to - STEP_COUNT)
    steps.push(await readRange(place(from), place(to), scan))
    const kept = steps.toReversed().flat()
    const recent = recentEvents(kept, head, limits)
    // An event is missing, or does not fit: further back there is nothing for it.
    const isWhole = kept.length === head.seq - from && recent.events.length === kept.length - 1
    if (from === 0 || !isWhole || recent.events.length === limits.maxCount) return recent
    to = from
  }
}

/** What is kept of a range, in as many pages as it takes. */
async function readRange(from: Position, to: Position, scan: TailSource['scan']): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  for (let after = from; after.seq < to.seq;) {
    const page = await scan(after, to, STEP_COUNT)
    events.push(...page.events)
    after = page.scannedTo
  }
  return events
}
