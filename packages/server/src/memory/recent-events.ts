import type { Position } from '@millrace/protocol'
import type { Recent, RecentLimits, StoredEvent } from '../log.ts'

/**
 * What {@link EventLog.recent} returns, from the events kept near the head, oldest first, of which any may be missing. One more
 * than the limits allow is of use: the position before the first one returned has to be known.
 */
export function recentEvents(
  kept: readonly StoredEvent[],
  head: Position,
  { maxCount, maxBytes }: RecentLimits,
): Recent {
  let first = kept.length
  let bytesLeft = maxBytes
  while (kept.length - first < maxCount) {
    const event = kept[first - 1]
    // The one before it is where it is read on from.
    if (!event || event.position.seq !== head.seq - (kept.length - first)) break
    if (kept[first - 2]?.position.seq !== event.position.seq - 1) break
    bytesLeft -= event.data.length
    if (bytesLeft < 0) break
    first--
  }
  return { after: first === kept.length ? head : (kept[first - 1]?.position ?? head), events: kept.slice(first) }
}
