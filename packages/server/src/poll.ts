import { formatEventId, parseEventId, type EventId, type Position, type SyncReason } from '@millrace/protocol'
import { Audience } from './audience.ts'
import type { Engine } from './engine.ts'
import type { Frame, WireFrame } from './frame.ts'
import { HubError } from './hub-error.ts'
import { LogError, type Gap, type SnapshotCursor } from './log.ts'
import { indexAfter } from './looked-up-values.ts'
import { isPosition, WHOLE_SNAPSHOT, type ReadingPlace } from './reading.ts'
import type { SubscribeRequest } from './subscribe-request.ts'
import { polledEvent, type PolledEvent } from './polled-event.ts'
import { valuesKnown } from './values-known.ts'

/** How a poll is made; what it is for is in its {@link SubscribeRequest}. */
export interface PollOptions {
  /** How long to wait for the first event. Milliseconds, 0 to 60,000. A poll without an id never waits. */
  readonly waitMs: number
  /** Ends the waiting: the client has left. */
  readonly signal?: AbortSignal | undefined
  /** Whether all values of state topics are wanted, or only those after the id. */
  readonly wantsAllValues: boolean
}

/** Events may be missing before those of the answer: what `stream:sync-required` is on a stream. */
export interface PollReset {
  readonly reason: SyncReason
  /** The id that could not be gone on from. */
  readonly from: string
  /** The id after which all that is kept follows. */
  readonly oldest: EventId
}

/** What a poll is answered with. */
export interface PollAnswer {
  /** Oldest first. Empty when nothing came in time. */
  readonly events: readonly PolledEvent[]
  /** Where the next poll goes on: everything that matches up to here was answered, or told of. */
  readonly cursor: EventId
  readonly reset: PollReset | null
  /** The snapshot may lack topics, because the log had to forget some. */
  readonly isPartial: boolean
}

/** What one answer may have; one event may exceed the bytes. The next poll goes on behind it, without waiting. */
const MAX_EVENTS = 1_000
const MAX_BYTES = 1024 * 1024
/** A snapshot is answered whole, for it has one position, and so are values of state topics. */
const LEAST_WHOLE_BYTES = 16 * 1024 * 1024
/** As much of an id as is told back. */
const MAX_SHOWN = 128

/** One poll: what a stream would get between an id and the present, as one answer. */
export class Poll {
  readonly #engine: Engine
  readonly #request: SubscribeRequest
  readonly #options: PollOptions
  readonly #audience: Audience
  readonly #isFirst: boolean
  readonly #frames: WireFrame[] = []
  #bytes = 0
  #place: ReadingPlace
  /** Whether `#place` was judged to be a place of this log. */
  #isTrusted = false
  #reset: PollReset | null = null
  #isPartial = false
  #isOver = false

  constructor(engine: Engine, request: SubscribeRequest, options: PollOptions) {
    this.#engine = engine
    this.#request = request
    this.#options = options
    this.#audience = new Audience(Audience.keyOf(request), request)
    this.#isFirst = !request.lastEventId
    if (request.lastEventId) this.#place = parseEventId(request.lastEventId) ?? 'unknown'
    else this.#place = this.#start()
  }

  /** @throws HubError `unavailable`, `closed` */
  async answer(): Promise<PollAnswer> {
    const waiting = new AbortController()
    const stop = (): void => waiting.abort()
    const { waitMs, signal } = this.#options
    const cancel = this.#engine.clock.after(waitMs, stop)
    signal?.addEventListener('abort', stop)
    if (signal?.aborted) stop()
    try {
      return await this.#gather(waiting.signal)
    } catch (error) {
      if (!(error instanceof LogError)) throw error
      if (error.code === 'closed') throw new HubError('closed', 'The hub is closing.', { cause: error })
      throw new HubError('unavailable', 'The event log is away; come again in a moment.', { cause: error })
    } finally {
      cancel()
      signal?.removeEventListener('abort', stop)
    }
  }

  async #gather(waiting: AbortSignal): Promise<PollAnswer> {
    for (;;) {
      await this.#readOn()
      const answer = await this.#complete()
      const isWorthIt = this.#isFirst || answer.events.length > 0 || answer.reset !== null
      if (isWorthIt || waiting.aborted || this.#engine.isClosed) return answer
      // A pass while values were read anew has gone by.
      if (this.#isAtEnd) await this.#engine.advances.next(waiting, () => this.#hasNews())
    }
  }

  /** Takes what there is, up to the limits of one answer. */
  async #readOn(): Promise<void> {
    while (!this.#isOver && !this.#isAtEnd) {
      const place = this.#place
      if (isPosition(place) && this.#engine.window.contains(place)) this.#takeFromWindow(place)
      else await this.#ask(place)
    }
  }

  /** What the answer is as things stand. Values come last: they are as of the newest pass. */
  async #complete(): Promise<PollAnswer> {
    const cursor = this.#place
    if (!isPosition(cursor)) throw new LogError('unavailable', 'The event log did not say where it stands.')
    const values = await this.#values(cursor)
    let bytes = this.#bytes
    for (const { event } of values) bytes += event.data.length
    if (bytes > this.#maxWholeBytes) throw tooLarge(this.#maxWholeBytes)
    const events = [...this.#frames, ...values].sort((one, other) => one.seq - other.seq).map(polledEvent)
    return { events, cursor: formatEventId(cursor), reset: this.#reset, isPartial: this.#isPartial }
  }

  /** One event always fits. */
  get #maxWholeBytes(): number {
    return Math.max(LEAST_WHOLE_BYTES, 2 * this.#engine.limits.maxEventBytes)
  }

  #start(): ReadingPlace {
    const { from } = this.#request
    if (from === 'now') {
      this.#isTrusted = true
      return this.#engine.flusher.end
    }
    return from === 'earliest' ? 'oldest' : WHOLE_SNAPSHOT
  }

  /** At the newest pass, or beyond it, as another node has told. */
  get #isAtEnd(): boolean {
    const { end } = this.#engine.flusher
    const place = this.#place
    return this.#isTrusted && isPosition(place) && place.epoch === end.epoch && place.seq >= end.seq
  }

  /** Whether there is something to wake up for. What is nothing for it, it goes past, or it would be looked at again. */
  #hasNews(): boolean {
    const { window, flusher, isClosed } = this.#engine
    const place = this.#place
    if (isClosed || !isPosition(place) || !window.contains(place)) return true
    for (let seq = place.seq + 1; seq <= flusher.end.seq; seq++) {
      const frame = window.frameAt(seq)
      if (!frame || (this.#audience.matchesTopic(frame.event.topic) && this.#mayWant(frame))) return true
      this.#place = frame.position
    }
    return false
  }

  #mayWant(frame: Frame): boolean {
    const { client } = this.#request
    const part = frame.isState
      ? this.#engine.standing.values.partOf(frame, this.#audience, client)
      : this.#partOf(frame)
    return part !== undefined
  }

  #takeFromWindow(place: Position): void {
    const { window, flusher } = this.#engine
    this.#isTrusted = true
    for (let seq = place.seq + 1; seq <= flusher.end.seq && !this.#isOver; seq++) {
      const frame = window.frameAt(seq)
      if (!frame) return
      if (!frame.isState && this.#audience.matchesTopic(frame.event.topic)) this.#take(this.#partOf(frame))
      this.#place = frame.position
    }
  }

  async #ask(place: ReadingPlace): Promise<void> {
    const { reader } = this.#engine
    if (place === 'unknown') {
      const bounds = await reader.bounds()
      const page = await reader.read(this.#audience, bounds.oldest)
      this.#takeGap('unknown_id', page.kind === 'gap' ? page : bounds)
      return
    }
    if (place !== 'oldest' && !isPosition(place)) {
      await this.#takeSnapshot()
      return
    }
    const page = await reader.read(this.#audience, place)
    if (page.kind === 'gap') {
      this.#takeGap(page.reason, page)
      return
    }
    this.#isTrusted = true
    for (const frame of page.frames) {
      if (this.#isOver || this.#isLate(frame.position)) break
      this.#take(this.#partOf(frame))
      this.#place = frame.position
    }
    if (!this.#isOver) this.#place = this.#placeAfter(page.scannedTo, place)
    const isStuck = isPosition(place) && page.scannedTo.seq === place.seq && !this.#isAtEnd
    if (isStuck) throw new LogError('unavailable', 'The event log returned nothing where more must come.')
  }

  /** Not beyond the newest pass, unless it was there already: back from there it would get events again. */
  #placeAfter(scannedTo: Position, before: Position | 'oldest'): Position {
    if (!this.#isLate(scannedTo)) return scannedTo
    return before !== 'oldest' && this.#isLate(before) ? before : this.#engine.flusher.end
  }

  /** Whether it is beyond the newest pass: values that hold there are not known yet. */
  #isLate({ epoch, seq }: Position): boolean {
    const { end } = this.#engine.flusher
    return epoch === end.epoch && seq > end.seq
  }

  async #takeSnapshot(): Promise<void> {
    const { reader } = this.#engine
    let cursor: SnapshotCursor | undefined
    do {
      const page = await reader.snapshot(this.#audience, cursor)
      for (const frame of page.frames) {
        this.#take(this.#audience.partWithoutId(frame, this.#request.client), this.#maxWholeBytes)
      }
      this.#isPartial ||= page.partial
      this.#place = page.at
      cursor = page.next
      if (cursor && this.#bytes > this.#maxWholeBytes) throw tooLarge(this.#maxWholeBytes)
    } while (cursor)
    this.#isTrusted = true
    this.#isOver = true
  }

  /** What of an event the client is answered: all, that the topic is finished, or nothing. */
  #partOf(frame: Frame): WireFrame | undefined {
    return this.#audience.partOf(frame, this.#request.client)
  }

  #take(part: WireFrame | undefined, maxBytes = MAX_BYTES): void {
    if (!part) return
    this.#frames.push(part)
    this.#bytes += part.event.data.length
    this.#isOver = this.#bytes >= maxBytes || (maxBytes === MAX_BYTES && this.#frames.length >= MAX_EVENTS)
  }

  #takeGap(reason: SyncReason, { oldest, head }: Pick<Gap, 'oldest' | 'head'>): void {
    const { from, lastEventId = '' } = this.#request
    const place = this.#place
    const failed = isPosition(place) ? formatEventId(place) : lastEventId.slice(0, MAX_SHOWN)
    // A gap in the middle of an answer: what came before it is before the gap, and not to be vouched for.
    this.#frames.length = 0
    this.#bytes = 0
    this.#reset = { reason, from: failed, oldest: formatEventId(oldest) }
    this.#isTrusted = true
    if (from === 'snapshot') this.#place = WHOLE_SNAPSHOT
    else this.#place = from === 'earliest' ? oldest : head
    if (from === 'now') this.#isOver = true
  }

  /** The values of state topics that are newer than those that the client has, as of the cursor. */
  async #values(cursor: Position): Promise<readonly WireFrame[]> {
    const { standing } = this.#engine
    if (!standing.mayHaveValues(this.#audience)) return []
    await valuesKnown(this.#engine, cursor, this.#options.signal)
    const given = this.#request.lastEventId ? parseEventId(this.#request.lastEventId) : undefined
    const knows = given?.epoch === cursor.epoch && this.#reset === null && !this.#options.wantsAllValues
    const afterSeq = knows ? given.seq : -1
    const values = standing.values.matching(this.#audience)
    return values
      .slice(indexAfter(values, afterSeq), indexAfter(values, cursor.seq))
      .flatMap((frame) => standing.values.partOf(frame, this.#audience, this.#request.client) ?? [])
  }
}

function tooLarge(maxBytes: number): HubError {
  return new HubError(
    'invalid_request',
    `The answer would have more than ${maxBytes} bytes of data. Ask for fewer topics, or open a stream, which has no limit.`,
  )
}
