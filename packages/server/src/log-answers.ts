import { formatEventId, type Position, type SyncReason } from '@millrace/protocol'
import { controlBlock } from './control-block.ts'
import type { WireFrame } from './frame.ts'
import type { HotWindow } from './hot-window.ts'
import type { HubObserver } from './hub-observer.ts'
import { LogError, type Gap } from './log.ts'
import type { FramePage, LogReader } from './log-reader.ts'
import { isPosition, WHOLE_SNAPSHOT, type Reading, type SnapshotPlace } from './reading.ts'
import type { Subscriber } from './subscriber.ts'
import type { Addition } from './topics-bridge.ts'

export interface LogAnswersHost {
  readonly window: HotWindow
  readonly reader: LogReader
  readonly observer: HubObserver
}

/** Asks the log what comes next for a subscriber that is catching up, and what it has to be told of what is lost. */
export class LogAnswers {
  readonly #host: LogAnswersHost

  constructor(host: LogAnswersHost) {
    this.#host = host
  }

  /** Fills the reading, or tells of a gap. Rejects as the log does. */
  async take(subscriber: Subscriber, reading: Reading): Promise<void> {
    const { after } = reading
    if (reading.skip || after === 'unknown') {
      const { oldest, head } = await this.#bounds(subscriber)
      this.#tellGap(subscriber, reading, reading.skip ?? 'unknown_id', oldest, head)
    } else if (reading.addition) {
      await this.#takeAddition(subscriber, reading, reading.addition)
    } else if (typeof after === 'object' && !isPosition(after)) {
      await this.#takeSnapshot(subscriber, reading, after)
    } else {
      const page = await this.#read(subscriber, reading, after)
      if (subscriber.reading !== reading) return
      if (page.kind === 'page') this.#takePage(subscriber, reading, page)
      else this.#tellGap(subscriber, reading, page.reason, page.oldest, page.head)
    }
  }

  /**
   * The next page. On a bridge what is owed matches the old and the new topics: it is lost only if both of them have lost
   * something.
   */
  async #read({ audience }: Subscriber, reading: Reading, after: Position | 'oldest'): Promise<FramePage | Gap> {
    const { reader } = this.#host
    const bridge = reading.isOnBridge ? reading.bridge : undefined
    if (!bridge) return reader.read(audience, after)
    const page = await reader.read(bridge.before, after)
    return page.kind === 'gap' ? reader.read(audience, after) : page
  }

  /** The log's bounds, `oldest` as the selectors have it: where nothing that matches was lost since may be later. */
  async #bounds({ audience }: Subscriber): Promise<{ oldest: Position; head: Position }> {
    const { reader } = this.#host
    const bounds = await reader.bounds()
    const page = await reader.read(audience, bounds.oldest)
    return page.kind === 'gap' ? page : bounds
  }

  async #takeSnapshot(subscriber: Subscriber, reading: Reading, { cursor }: SnapshotPlace): Promise<void> {
    try {
      const page = await this.#host.reader.snapshot(subscriber.audience, cursor)
      if (subscriber.reading !== reading) return
      const frames = page.frames.flatMap((frame) => subscriber.partWithoutId(frame) ?? [])
      if (page.partial) reading.isPartial = true
      reading.fill(frames, page.next ? { kind: 'snapshot', cursor: page.next } : page.at)
    } catch (error) {
      // The pages so far are of an epoch that is over.
      const isOver = cursor && error instanceof LogError && error.code === 'invalid'
      if (!isOver) throw error
      if (subscriber.reading === reading) reading.jump(WHOLE_SNAPSHOT)
    }
  }

  /** The last events of topics that are new to the stream. It stays where it is meanwhile. */
  async #takeAddition(subscriber: Subscriber, reading: Reading, addition: Addition): Promise<void> {
    const { before, added, cursor, isNew } = addition
    try {
      const page = await this.#host.reader.snapshot(added, cursor)
      if (subscriber.reading !== reading) return
      const frames = page.frames.filter((frame) => isNew(frame.event.topic))
      const bare = frames.flatMap((frame) => subscriber.partWithoutId(frame) ?? [])
      if (page.partial) reading.isPartial = true
      if (page.next) {
        reading.addition = { ...addition, cursor: page.next }
        reading.fill(bare, reading.after)
      } else reading.fillAddition(bare, before, subscriber.audience, page.at)
    } catch (error) {
      const isOver = cursor && error instanceof LogError && error.code === 'invalid'
      if (!isOver) throw error
      reading.addition = { ...addition, cursor: undefined }
    }
  }

  #takePage(subscriber: Subscriber, reading: Reading, page: FramePage): void {
    const { window } = this.#host
    const before = reading.after
    const frames: WireFrame[] = []
    const until = reading.isOnBridge ? reading.bridge?.until : undefined
    for (const frame of page.frames) {
      if (until && frame.seq > until.seq) break
      const { topic } = frame.event
      const isOwed = subscriber.audience.matchesTopic(topic) && (!until || reading.bridge?.before.matchesTopic(topic))
      const part = isOwed ? subscriber.partOf(frame) : undefined
      if (part) frames.push(part)
    }
    reading.fill(frames, until && page.scannedTo.seq > until.seq ? until : page.scannedTo)
    const { after } = reading
    const isStuck = isPosition(before) && isPosition(after) && after.seq === before.seq
    const isElsewhere = isStuck && (after.epoch !== window.base.epoch || after.seq < window.base.seq)
    if (isElsewhere && !reading.hasBacklog) {
      throw new LogError(
        'unavailable',
        'The event log returned nothing where more must come: it lags behind its tail, or its tail has not heard of its epoch.',
      )
    }
  }

  /**
   * With a snapshot to follow the notice has no id: who is cut before the end of the snapshot comes back with the old
   * one, and gets both again.
   */
  #tellGap(subscriber: Subscriber, reading: Reading, reason: SyncReason, oldest: Position, head: Position): void {
    if (subscriber.reading !== reading) return
    this.#host.observer.onGap?.(subscriber, reason)
    const from = isPosition(reading.after) ? formatEventId(reading.after) : (reading.clientId ?? '')
    const place = placeAfterGap(subscriber, reason, oldest, head)
    const id = isPosition(place) ? place : undefined
    reading.jump(place)
    if (reason === 'too_far') reading.maxReplayCount = false
    subscriber.writeText(controlBlock('stream:sync-required', { reason, from, oldest: formatEventId(oldest) }, id), id)
  }
}

/** A policy that asked for a jump is not served by going back to the oldest event. */
function placeAfterGap(
  { request }: Subscriber,
  reason: SyncReason,
  oldest: Position,
  head: Position,
): Position | SnapshotPlace {
  if (request.from === 'snapshot') return WHOLE_SNAPSHOT
  const jumps = reason === 'slow' || reason === 'too_far'
  return request.from === 'earliest' && !jumps ? oldest : head
}
