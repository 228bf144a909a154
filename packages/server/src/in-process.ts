import { formatEventId, parseEventId, type EventId, type Position, type SyncReason } from '@millrace/protocol'
import { Audience } from './audience.ts'
import type { Engine } from './engine.ts'
import type { WireFrame } from './frame.ts'
import { LogError, type Gap, type SnapshotCursor } from './log.ts'
import { indexAfter } from './looked-up-values.ts'
import type { EventMap } from './publish-event.ts'
import { isPosition, WHOLE_SNAPSHOT, type ReadingPlace } from './reading.ts'
import type { SubscribeRequest } from './subscribe-request.ts'

/** An event as a reader inside the process gets it: `data` is the value that was published. */
export type ReceivedEvent<Events extends object = EventMap> = {
  [T in keyof Events & string]: {
    readonly kind: 'event'
    /**
     * Null for what vouches for no place in the log: events of a snapshot, values of state topics, which are the newest
     * of their key, and ephemeral events, which come only while the reader waits for what is next.
     */
    readonly id: EventId | null
    readonly topic: string
    readonly type: T
    readonly data: Events[T]
    /** Milliseconds since 1970, by the log's clock. */
    readonly timeMs: number
    /** Which value of a state topic it is. */
    readonly key?: string
    /** The topic is finished. */
    readonly end?: true
  }
}[keyof Events & string]

/** Events may be missing before what follows: the same as `stream:sync-required` on the wire. */
export interface ReceivedGap {
  readonly kind: 'gap'
  readonly reason: SyncReason
  /** The id that could not be resumed from. */
  readonly from: string
  /** The id after which all that is kept follows. */
  readonly oldest: EventId
}

const RETRY_MS = 250
/** As much of an id as is told back. */
const MAX_SHOWN = 128

/**
 * Reads the hub's events one by one, at the pace of the reader: it holds one page at the most. Values of state topics
 * come when everything that happened has been read, each key's newest.
 */
export class InProcessReader {
  readonly #engine: Engine
  readonly #request: SubscribeRequest
  readonly #signal: AbortSignal | undefined
  readonly #audience: Audience
  /** `'now'`: the hub did not follow its log yet when the reader was made. */
  #after: ReadingPlace | 'now'
  /** Whether `#after` was judged to be a place of this log. */
  #isTrusted: boolean
  /** Values of state topics up to here were given out. */
  #valuesAfter: Position | undefined

  constructor(engine: Engine, request: SubscribeRequest, signal: AbortSignal | undefined) {
    this.#engine = engine
    this.#request = request
    this.#signal = signal
    this.#audience = new Audience(Audience.keyOf(request), request)
    this.#isTrusted = !request.lastEventId
    if (request.lastEventId) this.#after = parseEventId(request.lastEventId) ?? 'unknown'
    else if (request.from === 'earliest') this.#after = 'oldest'
    else if (request.from === 'snapshot') this.#after = WHOLE_SNAPSHOT
    else this.#after = engine.isStarted ? engine.flusher.end : 'now'
  }

  async *read(): AsyncGenerator<ReceivedEvent | ReceivedGap, void, undefined> {
    await this.#engine.ready
    if (this.#after === 'now') this.#after = this.#engine.flusher.end
    while (this.#isOpen) {
      const found = this.#fromWindow() ?? (await this.#fromLog())
      for (const each of found) {
        if (!this.#isOpen) return
        yield 'kind' in each ? each : received(each)
      }
      if (found.length > 0 || !this.#isAtEnd) continue
      const values = this.#values()
      for (const frame of values) {
        if (!this.#isOpen) return
        yield received(frame)
      }
      if (values.length > 0) continue
      if (!this.#isOpen) return
      for (const frame of await this.#engine.advances.next(this.#signal)) {
        if (!this.#isOpen) return
        if (this.#wants(frame)) yield received(frame)
      }
    }
  }

  #wants(frame: WireFrame): boolean {
    return this.#audience.acceptsType(frame) && this.#audience.matchesTopic(frame.event.topic)
  }

  /** The values of state topics that are newer than those that were given out. */
  #values(): readonly WireFrame[] {
    const { standing, flusher } = this.#engine
    if (!standing.mayHaveValues(this.#audience) || !standing.isReady(flusher.end)) return []
    const afterSeq = this.#valuesAfter?.epoch === flusher.end.epoch ? this.#valuesAfter.seq : -1
    this.#valuesAfter = flusher.end
    const values = standing.values.matching(this.#audience)
    const newer = values.slice(indexAfter(values, afterSeq))
    const parts = newer.flatMap((frame) => standing.values.partOf(frame, this.#audience, undefined) ?? [])
    return parts.filter(({ part }) => part !== 'end-mark')
  }

  get #isOpen(): boolean {
    return !this.#signal?.aborted && !this.#engine.isClosed
  }

  /** Whether the position is known to be at or beyond the end of the hot window: the rest is yet to come. */
  get #isAtEnd(): boolean {
    const { base, end } = this.#engine.window
    const after = this.#after
    return this.#isTrusted && after !== 'now' && isPosition(after) && after.epoch === base.epoch && after.seq >= end.seq
  }

  /** The next frame of the hot window, if it matches; undefined when the position is not in the window. */
  #fromWindow(): readonly WireFrame[] | undefined {
    const { window } = this.#engine
    const after = this.#after
    if (after === 'now' || !isPosition(after) || !window.contains(after)) return undefined
    this.#isTrusted = true
    const frame = window.frameAt(after.seq + 1)
    if (!frame) return []
    this.#after = frame.position
    return !frame.isState && this.#wants(frame) ? [frame] : []
  }

  /** A page of the log or the gap before it; nothing where nothing is yet, or while the log is away. */
  async #fromLog(): Promise<readonly (WireFrame | ReceivedGap)[]> {
    if (this.#isAtEnd) return []
    try {
      return await this.#ask()
    } catch (error) {
      if (!(error instanceof LogError) || (error.code !== 'unavailable' && this.#isOpen)) throw error
      await this.#engine.pause(RETRY_MS, this.#signal)
      return []
    }
  }

  async #ask(): Promise<readonly (WireFrame | ReceivedGap)[]> {
    const { reader } = this.#engine
    const after = this.#after
    if (after === 'now') return []
    if (after === 'unknown') return [this.#takeGap('unknown_id', await reader.bounds())]
    if (after !== 'oldest' && !isPosition(after)) return this.#askSnapshot(after.cursor)
    const page = await reader.read(this.#audience, after)
    if (page.kind === 'gap') return [this.#takeGap(page.reason, page)]
    this.#after = page.scannedTo
    this.#isTrusted = true
    const isStuck = isPosition(after) && page.scannedTo.seq === after.seq && !this.#isAtEnd
    if (isStuck) throw new LogError('unavailable', 'The event log returned nothing where more must come.')
    return page.frames.filter((frame) => this.#audience.acceptsType(frame))
  }

  async #askSnapshot(cursor: SnapshotCursor | undefined): Promise<readonly WireFrame[]> {
    try {
      const page = await this.#engine.reader.snapshot(this.#audience, cursor)
      this.#after = page.next ? { kind: 'snapshot', cursor: page.next } : page.at
      this.#isTrusted = true
      const frames = page.frames.filter((frame) => this.#audience.acceptsType(frame))
      return frames.map((frame) => frame.withoutId)
    } catch (error) {
      // The pages so far are of an epoch that is over: begin anew.
      if (!cursor || !(error instanceof LogError) || error.code !== 'invalid') throw error
      this.#after = WHOLE_SNAPSHOT
      return []
    }
  }

  #takeGap(reason: SyncReason, { oldest, head }: Pick<Gap, 'oldest' | 'head'>): ReceivedGap {
    const { from, lastEventId = '' } = this.#request
    const after = this.#after
    const failed = after !== 'now' && isPosition(after) ? formatEventId(after) : lastEventId.slice(0, MAX_SHOWN)
    if (from === 'snapshot') this.#after = WHOLE_SNAPSHOT
    else this.#after = from === 'earliest' ? oldest : head
    this.#isTrusted = true
    return { kind: 'gap', reason, from: failed, oldest: formatEventId(oldest) }
  }
}

function received(frame: WireFrame): ReceivedEvent {
  const { topic, type = 'message', data, json, timeMs, key, end } = frame.event
  const isLast = end && frame.part !== 'value'
  return {
    kind: 'event',
    id: frame.id ?? null,
    topic,
    type,
    data: json ? JSON.parse(data) : data,
    timeMs,
    ...(key === undefined ? {} : { key }),
    ...(isLast ? { end } : {}),
  }
}
