import type { Life } from './history.ts'
import { must } from './violation.ts'
import type { Wants } from './wants.ts'

/**
 * §6: a stream may begin here: whatever is owed before was evicted, or something that was selected was evicted after it,
 * or the reader has it already.
 */
export function checkOldest(
  life: Life,
  startSeq: number,
  alreadySeq: number,
  { selects, owes }: Wants,
  exactEviction: boolean,
): void {
  for (let seq = startSeq; seq > alreadySeq; seq--) {
    const entry = life.entries.get(seq)
    if (!entry) continue
    const { evicted, event } = entry
    if (evicted && (!exactEviction || selects(event.topic))) return
    must(evicted || !owes(event), '§6', () => `${life.epoch}-${startSeq} is not the oldest: ${seq} is kept`)
  }
}

/** Whether something that was selected, after a place, is kept no more. */
export function wasEvictedAfter(life: Life, afterSeq: number, { selects }: Wants, exactEviction: boolean): boolean {
  for (const [seq, { evicted, event }] of life.entries) {
    if (seq > afterSeq && evicted && (!exactEviction || selects(event.topic))) return true
  }
  return false
}
