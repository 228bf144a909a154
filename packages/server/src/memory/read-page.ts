import type { Position } from '@millrace/protocol'
import type { Page, ReadQuery, StoredEvent } from '../log.ts'
import type { EventList } from './event-list.ts'
import type { LogEntry } from './log-entry.ts'
import { selectorTest } from './pattern-set.ts'

/** One page looks at no more events than this, so that it never holds up the others for long. */
const MAX_SCAN_COUNT = 10_000

export interface PageQuery extends Omit<ReadQuery, 'after'> {
  readonly after: Position
  /** State topics too: for tails. */
  readonly withState: boolean
}

/** What is kept after a position, up to the head. */
export function readPage(kept: EventList<LogEntry>, head: Position, query: PageQuery): Page {
  const matches = query.selectors === 'all' ? undefined : selectorTest(query.selectors)
  const events: StoredEvent[] = []
  let scannedTo = query.after
  let scanCount = 0
  let bytes = 0
  const isWhole = kept.visitAfter(query.after.seq, ({ event, sizeBytes, isState }) => {
    if (scanCount++ === MAX_SCAN_COUNT) return false
    if (!event) return true
    if ((query.withState || !isState) && (!matches || matches(event.topic))) {
      if (events.length === query.maxCount) return false
      if (events.length > 0 && bytes + sizeBytes > query.maxBytes) return false
      events.push(event)
      bytes += sizeBytes
    }
    scannedTo = event.position
    return true
  })
  return { kind: 'page', events, scannedTo: isWhole ? head : scannedTo, head }
}
