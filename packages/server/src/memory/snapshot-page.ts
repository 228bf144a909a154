import { isPattern, type Position, type Selector, type Topic } from '@millrace/protocol'
import type { Snapshot, SnapshotOptions, StoredEvent } from '../log.ts'
import type { EventList, Slot } from './event-list.ts'
import { selectorTest } from './pattern-set.ts'
import { utf8Length } from './utf8-length.ts'

/** What a snapshot is made from. */
export interface SnapshotSource {
  /** All that it has. */
  readonly newest: EventList
  /** What it has of one topic. */
  slotsOf(topic: Topic): Iterable<Slot>
}

/** One page looks at no more events than this, so that it never holds up the others for long. */
const MAX_SCAN_COUNT = 10_000
/** So many events of named topics are sorted rather than looked for among all. */
const MAX_SORTED_COUNT = 1_024

/** The next page of a snapshot of what the log had at a position. */
export function snapshotPage(
  source: SnapshotSource,
  selectors: readonly Selector[] | 'all',
  at: Position,
  { cursor, maxCount, maxBytes }: SnapshotOptions,
): Pick<Snapshot, 'events' | 'next'> {
  const isWhole = maxCount === undefined && maxBytes === undefined
  const page = new PageInMaking(at.seq, maxCount ?? Infinity, maxBytes ?? Infinity, isWhole ? Infinity : MAX_SCAN_COUNT)
  const afterSeq = cursor?.afterSeq ?? 0
  const named = namedSlots(source, selectors)
  if (named) named.filter(({ seq }) => seq > afterSeq).every((slot) => page.take(slot))
  else {
    const matches = selectors === 'all' ? undefined : selectorTest(selectors)
    source.newest.visitAfter(afterSeq, (slot) => page.take(slot, matches))
  }
  const { events, hasMore, lastSeq } = page
  return hasMore ? { events, next: { at, afterSeq: Math.max(afterSeq, lastSeq) } } : { events }
}

/** Where the selectors name topics that have little: all of that, oldest first. */
function namedSlots(source: SnapshotSource, selectors: readonly Selector[] | 'all'): Slot[] | undefined {
  if (selectors === 'all' || selectors.some(isPattern)) return undefined
  const slots: Slot[] = []
  for (const topic of new Set(selectors as readonly string[] as readonly Topic[])) {
    for (const slot of source.slotsOf(topic)) {
      if (slots.length === MAX_SORTED_COUNT) return undefined
      slots.push(slot)
    }
  }
  return slots.sort((one, other) => one.seq - other.seq)
}

class PageInMaking {
  readonly events: StoredEvent[] = []
  /** There may be more after `lastSeq`. */
  hasMore = false
  /** Everything up to here was looked at. */
  lastSeq = 0
  readonly #atSeq: number
  readonly #maxCount: number
  readonly #maxBytes: number
  readonly #maxScanCount: number
  #bytes = 0
  #scanCount = 0

  constructor(atSeq: number, maxCount: number, maxBytes: number, maxScanCount: number) {
    this.#atSeq = atSeq
    this.#maxCount = maxCount
    this.#maxBytes = maxBytes
    this.#maxScanCount = maxScanCount
  }

  /** Takes the next event, if it is still there and matches. False: the page ends before it. */
  take({ seq, event }: Slot, matches?: (topic: Topic) => boolean): boolean {
    if (seq > this.#atSeq) return false
    if (this.#scanCount++ === this.#maxScanCount) return this.#end()
    if (event && (!matches || matches(event.topic))) {
      if (this.events.length === this.#maxCount) return this.#end()
      const bytes = this.#maxBytes === Infinity ? 0 : utf8Length(event.data)
      if (this.events.length > 0 && this.#bytes + bytes > this.#maxBytes) return this.#end()
      this.events.push(event)
      this.#bytes += bytes
    }
    this.lastSeq = seq
    return true
  }

  #end(): false {
    this.hasMore = true
    return false
  }
}
