import type { Position } from '@millrace/protocol'
import type { Audience } from './audience.ts'
import { additionTo, bridgeFrom, type Addition, type Bridge } from './topics-bridge.ts'
import type { WireFrame, Variant } from './frame.ts'
import type { SnapshotCursor } from './log.ts'

/**
 * What a catch-up waits for: its turn, the log's answer, room in its transport, the end of a pass that reaches its
 * position, or the time of another try at a log that is away.
 */
export type ReadingPhase = 'queued' | 'reading' | 'draining' | 'waiting' | 'retrying'

/** A snapshot is to be read, from its beginning or on from a page. */
export interface SnapshotPlace {
  readonly kind: 'snapshot'
  readonly cursor: SnapshotCursor | undefined
}

/** Everything up to here was written. `'unknown'`: the client's id is nobody's, and that is still to be told. */
export type ReadingPlace = Position | 'oldest' | 'unknown' | SnapshotPlace

export const WHOLE_SNAPSHOT: SnapshotPlace = Object.freeze({ kind: 'snapshot', cursor: undefined })

export interface ReadingOptions {
  /** Whether the place was judged to be one of this log. */
  readonly trusted: boolean
  /** Whether `stream:caught-up` is owed at the end. */
  readonly announce: boolean
  /** The id as the client sent it. */
  readonly clientId?: string | undefined
  /** Values of state topics up to here were written. @default none were */
  readonly valuesAfter?: Position | undefined
  /** Why it jumps to the head with a notice, instead of reading on. */
  readonly skip?: 'slow' | 'too_far' | undefined
  /** A replay of more events ends with a notice. @default false */
  readonly maxReplayCount?: number | false
}

export function isPosition(place: ReadingPlace): place is Position {
  return typeof place === 'object' && 'seq' in place
}

/** How far a subscriber that is catching up has read. */
export class Reading {
  after: ReadingPlace
  /** Whether `after` was judged to be a place of this log. */
  trusted: boolean
  /** Values of state topics up to here were written; undefined when none were. */
  valuesAfter: Position | undefined
  /** Why it is to jump to the head with a notice. */
  skip: 'slow' | 'too_far' | undefined
  maxReplayCount: number | false
  /** The snapshot may lack topics. */
  isPartial = false
  /** Topics whose end was written. */
  readonly finished: Set<string> = new Set()
  /** Whether `stream:caught-up` is owed at the end. */
  readonly announce: boolean
  /** Whether `stream:topics` is owed at the end. */
  hasNewTopics = false
  /** Topics that are new to the stream, of which it is owed the last events. */
  addition: Addition | undefined
  /** The old topics, as long as the stream is behind the place that those last events are of. */
  bridge: Bridge | undefined
  /** Who wanted the values that were written up to a place; what else there is up to there is still owed. */
  keptValues: { readonly audience: Audience; readonly after: Position } | undefined
  /** The id as the client sent it. */
  readonly clientId: string | undefined
  phase: ReadingPhase = 'draining'
  replayed = 0
  /** Whether the log had to be asked. */
  source: 'window' | 'log' = 'window'
  /** When the subscriber began to catch up, by {@link Clock.now}. */
  startedAtMs = 0
  /** Failed attempts at the log in a row. */
  failures = 0
  retryAtMs = 0
  /** While the backlog is the last events of new topics: what was there before them. */
  #givenBesides: Audience | undefined
  #backlog: readonly WireFrame[] = []
  #written = 0
  /** Where everything up to the end of the backlog leads. */
  #next: ReadingPlace | undefined

  constructor(after: ReadingPlace, options: ReadingOptions) {
    this.after = after
    this.trusted = options.trusted
    this.announce = options.announce
    this.clientId = options.clientId
    this.valuesAfter = options.valuesAfter
    this.skip = options.skip
    this.maxReplayCount = options.maxReplayCount ?? false
  }

  /** The newest position that may be vouched for. */
  get position(): Position | undefined {
    return this.trusted && isPosition(this.after) ? this.after : undefined
  }

  get hasBacklog(): boolean {
    return this.#next !== undefined
  }

  /** Whether the next event would be one more than a replay may have. */
  get isTooFar(): boolean {
    const next = this.#backlog[this.#written]
    return this.maxReplayCount !== false && next?.id !== undefined && this.replayed >= this.maxReplayCount
  }

  /** Goes on from the same place with other topics; what was read of the old ones and not written is read anew. */
  withTopics(before: Audience, audience: Audience, from: 'now' | 'snapshot'): Reading {
    const { announce, clientId, trusted, skip, maxReplayCount } = this
    const isInSnapshot = typeof this.after === 'object' && !isPosition(this.after)
    const after = isInSnapshot ? WHOLE_SNAPSHOT : this.after
    const next = new Reading(after, { announce, clientId, trusted, skip, maxReplayCount })
    next.hasNewTopics = true
    next.replayed = this.replayed
    next.isPartial = this.isPartial
    const isAtPlace = next.position !== undefined && !skip
    // What was new with the change before is still new when its last events were not read to their end.
    const pending = this.addition?.before ?? this.#givenBesides
    if (isAtPlace && (from === 'snapshot' || pending)) next.addition = additionTo(pending ?? before, audience)
    // Two changes in a row: all values come again, and none is missing.
    if (this.valuesAfter && !this.keptValues) next.keptValues = { audience: before, after: this.valuesAfter }
    return next
  }

  /** Whether the reading is behind the place that the last events of new topics are of. */
  get isOnBridge(): boolean {
    const { bridge, position } = this
    return bridge !== undefined && position?.epoch === bridge.until.epoch && position.seq < bridge.until.seq
  }

  /** The last events of new topics are known as of `at`: when these frames are written it goes on towards there. */
  fillAddition(frames: readonly WireFrame[], before: Audience, audience: Audience, at: Position): void {
    const { position } = this
    this.addition = undefined
    this.bridge = bridgeFrom(before, audience, at)
    const hasNothingBefore = !this.bridge && position?.epoch === at.epoch && position.seq < at.seq
    this.fill(frames, hasNothingBefore ? at : this.after)
    if (this.hasBacklog) this.#givenBesides = before
  }

  /** Frames that were read and are to be written; when all are, everything up to `next` is. */
  fill(frames: readonly WireFrame[], next: ReadingPlace): void {
    this.#givenBesides = undefined
    this.#backlog = frames
    this.#written = 0
    this.#next = next
    this.trusted = true
    this.#finish()
  }

  /** Goes on from elsewhere; what was read is not written. */
  jump(place: ReadingPlace): void {
    this.after = place
    this.trusted = true
    this.skip = undefined
    this.finished.clear()
    this.addition = undefined
    this.bridge = undefined
    this.#givenBesides = undefined
    this.#backlog = []
    this.#next = undefined
  }

  /** Takes the next frames that fit into `maxBytes`, but at least one, and moves on behind them. */
  take(maxBytes: number, variant: Variant): WireFrame[] {
    let bytes = 0
    let next = this.#written
    for (; next < this.#backlog.length; next++) {
      const frame = this.#backlog[next]
      if (!frame) break
      bytes += frame.bytes(variant).byteLength
      if (bytes > maxBytes && next > this.#written) break
      if (this.maxReplayCount !== false && frame.id && this.replayed >= this.maxReplayCount) break
      if (frame.part !== 'end-mark') this.replayed++
      if (frame.event.end) this.#noteEnd(frame)
      if (frame.position) this.after = frame.position
    }
    const taken = this.#backlog.slice(this.#written, next)
    this.#written = next
    this.#finish()
    return taken
  }

  /** A value of a state topic is written. */
  noteValue(frame: WireFrame): void {
    if (frame.part !== 'end-mark') this.replayed++
    if (frame.part !== 'value') this.#noteEnd(frame)
  }

  /**
   * Where nothing else brings an id, the end is told again with one when all topics are finished: who has it need not come
   * again.
   */
  #noteEnd({ id, event }: WireFrame): void {
    const hasId = id !== undefined || this.announce || this.hasNewTopics
    if (hasId) this.finished.add(event.topic)
  }

  #finish(): void {
    if (this.#next === undefined || this.#written < this.#backlog.length) return
    this.after = this.#next
    this.#givenBesides = undefined
    this.#backlog = []
    this.#next = undefined
  }
}
