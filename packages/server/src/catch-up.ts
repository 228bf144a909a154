import { encodeComment, formatEventId, parseEventId, type Position, type Topic } from '@millrace/protocol'
import type { Chance } from './chance.ts'
import type { Clock } from './clock.ts'
import { controlBlock } from './control-block.ts'
import type { Flusher } from './flusher.ts'
import { addValues } from './add-values.ts'
import { endMark, type WireFrame } from './frame.ts'
import type { HotWindow } from './hot-window.ts'
import type { HubObserver } from './hub-observer.ts'
import { LogAnswers } from './log-answers.ts'
import { LogError } from './log.ts'
import type { LogReader } from './log-reader.ts'
import { isPosition, type Reading } from './reading.ts'
import type { PendingBytes } from './pending-bytes.ts'
import { SharedPages } from './shared-pages.ts'
import type { Standing } from './standing.ts'
import type { Subscriber } from './subscriber.ts'

/** What one turn may spend on catching up before live subscribers and I/O have theirs. */
const TURN_MS = 5
const TURN_BYTES = 4 * 1024 * 1024
/** Frames of the hot window that one step looks at. */
const MAX_SCAN = 8_192
const FIRST_RETRY_MS = 250
const MAX_RETRY_MS = 5_000

export interface CatchUpHost {
  readonly clock: Clock
  readonly chance: Chance
  readonly flusher: Flusher
  readonly window: HotWindow
  readonly reader: LogReader
  readonly observer: HubObserver
  readonly standing: Standing
  readonly pending: PendingBytes
  /** More waits in transports than is allowed, perhaps: makes room. */
  relieve(): void
}

/**
 * Brings subscribers from their position to the present: pages from the log while they are behind the hot window,
 * then the rest of the window, then into their audience. Each goes at the pace at which its transport drains.
 */
export class CatchUps {
  readonly #host: CatchUpHost
  readonly #waiting = new Set<Subscriber>()
  readonly #pages = new SharedPages()
  readonly #answers: LogAnswers
  #queue: Subscriber[] = []
  #isScheduled = false

  constructor(host: CatchUpHost) {
    this.#host = host
    this.#answers = new LogAnswers(host)
  }

  /** How many wait for a turn or for the end of a pass. */
  get pending(): number {
    return this.#queue.length + this.#waiting.size
  }

  /** Goes on with a subscriber that is catching up, when its turn comes. */
  resume(subscriber: Subscriber): void {
    const { reading } = subscriber
    if (!reading || reading.phase === 'queued' || reading.phase === 'reading') return
    this.#waiting.delete(subscriber)
    reading.phase = 'queued'
    this.#queue.push(subscriber)
    this.#schedule()
  }

  /** Looks whether what a subscriber waits for has come without anybody saying so. */
  nudge(subscriber: Subscriber, nowMs: number): void {
    const { reading } = subscriber
    if (reading?.phase === 'draining' && subscriber.roomBytes > 0) this.resume(subscriber)
    if (reading?.phase === 'retrying' && nowMs >= reading.retryAtMs) this.resume(subscriber)
  }

  /** A pass was frozen or the window was reset: those who waited for it may go on. */
  onAdvance(): void {
    this.#pages.clear()
    for (const subscriber of [...this.#waiting]) this.resume(subscriber)
  }

  /** Nobody is left to share with. */
  onEmpty(): void {
    this.#pages.clear()
  }

  forget(subscriber: Subscriber): void {
    this.#waiting.delete(subscriber)
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#host.clock.soon(() => this.#turn())
  }

  #turn(): void {
    this.#isScheduled = false
    const queue = this.#queue
    this.#queue = []
    const endMs = this.#host.clock.now() + TURN_MS
    let bytes = 0
    for (const [i, subscriber] of queue.entries()) {
      if (bytes >= TURN_BYTES || this.#host.clock.now() >= endMs) {
        this.#queue = [...queue.slice(i), ...this.#queue]
        break
      }
      const before = subscriber.bytes
      if (subscriber.reading?.phase === 'queued') this.#step(subscriber, subscriber.reading)
      bytes += subscriber.bytes - before
      if (this.#host.pending.isDue) this.#host.relieve()
    }
    if (this.#queue.length > 0) this.#schedule()
  }

  #step(subscriber: Subscriber, reading: Reading): void {
    reading.phase = 'draining'
    if (subscriber.roomBytes === 0) return
    if (reading.skip || (reading.addition && !reading.hasBacklog)) {
      this.#ask(subscriber, reading)
      return
    }
    if (!reading.hasBacklog && !this.#refill(subscriber, reading)) return
    if (reading.isTooFar) {
      reading.skip = 'too_far'
      this.#ask(subscriber, reading)
      return
    }
    this.#write(subscriber, reading)
    const mayGoOn = subscriber.reading === reading && reading.phase === 'draining' && subscriber.roomBytes > 0
    if (mayGoOn) this.resume(subscriber)
  }

  /** Finds out what comes next. False: that takes time. */
  #refill(subscriber: Subscriber, reading: Reading): boolean {
    const { flusher, window } = this.#host
    const { after } = reading
    if (!isPosition(after)) return this.#ask(subscriber, reading)
    if (window.contains(after)) {
      reading.trusted = true
      const isAtEnd = after.seq === flusher.end.seq && reading.isOnBridge
      if (after.seq > flusher.end.seq || isAtEnd) return this.#wait(subscriber, reading)
      this.#fillFromWindow(subscriber, reading, after)
      return true
    }
    const isAhead = after.epoch === window.base.epoch && after.seq > window.end.seq
    return reading.trusted && isAhead ? this.#wait(subscriber, reading) : this.#ask(subscriber, reading)
  }

  #wait(subscriber: Subscriber, reading: Reading): false {
    reading.phase = 'waiting'
    this.#waiting.add(subscriber)
    return false
  }

  #fillFromWindow(subscriber: Subscriber, reading: Reading, after: Position): void {
    const { flusher, window } = this.#host
    const { audience } = subscriber
    const bridge = reading.isOnBridge ? reading.bridge : undefined
    const lastSeq = Math.min(flusher.end.seq, after.seq + MAX_SCAN, bridge?.until.seq ?? Infinity)
    const frames: WireFrame[] = []
    let room = subscriber.roomBytes
    let end = after
    for (let seq = after.seq + 1; seq <= lastSeq && room > 0; seq++) {
      const frame = window.frameAt(seq)
      if (!frame) break
      end = frame.position
      if (frame.isState || !audience.matchesTopic(frame.event.topic)) continue
      if (bridge && !bridge.before.matchesTopic(frame.event.topic)) continue
      const part = subscriber.partOf(frame)
      if (!part) continue
      frames.push(part)
      room -= part.bytes(audience.variant).byteLength
    }
    reading.fill(frames, end)
  }

  /** Writes what fits; when that was the last up to the end of the newest pass, the subscriber is live, or finished. */
  #write(subscriber: Subscriber, reading: Reading): void {
    const { audience } = subscriber
    const { variant } = audience
    const frames = reading.take(subscriber.roomBytes, variant)
    const sent = frames.findLast(({ position }) => position !== undefined)?.position
    const end = this.#arrival(reading)
    const hasAll = end !== undefined && this.#addValues(subscriber, reading, frames, end)
    const isFinished = hasAll && this.#host.standing.isFinished(audience, end)
    const note = hasAll ? this.#note(subscriber, reading, end, isFinished) : ''
    if (frames.length > 0 || note !== '') {
      const count = frames.filter(({ part }) => part !== 'end-mark').length
      subscriber.writeReplay(this.#pages.payload(frames, variant, note), count, note === '' ? sent : end)
    }
    if (!hasAll || subscriber.reading !== reading) return
    if (isFinished) subscriber.end('finished')
    else this.#join(subscriber, reading)
  }

  /** Adds the values that are owed at the end of a catch-up. False: there are more, or it is not known yet. */
  #addValues(subscriber: Subscriber, reading: Reading, frames: WireFrame[], end: Position): boolean {
    const { standing } = this.#host
    const { audience } = subscriber
    // Who brings an id may have been cut between the last event of a topic and its mark.
    const hasId = reading.clientId !== undefined
    const needsStanding = hasId || audience.topics !== undefined || standing.mayHaveValues(audience)
    if (!needsStanding) return true
    if (!standing.isReady(end)) return this.#wait(subscriber, reading)
    return addValues(standing.values, subscriber, reading, frames, end)
  }

  /** What is said at the end: that it has caught up, and which topics are finished if all are. */
  #note(subscriber: Subscriber, reading: Reading, end: Position, isFinished: boolean): string {
    const { replayed, isPartial, announce, finished } = reading
    const data = { replayed, ...(isPartial ? { partial: true as const } : {}) }
    let caughtUp = announce ? controlBlock('stream:caught-up', data, end) : ''
    if (reading.hasNewTopics) {
      const { revision, request } = subscriber
      const partial = isPartial ? { partial: true as const } : {}
      caughtUp += controlBlock('stream:topics', { topics: request.selectors, revision, ...partial }, end)
    }
    const told = isFinished ? (subscriber.audience.topics ?? []) : this.#lostMark(subscriber, reading, end)
    const untold = told.filter((topic) => !finished.has(topic))
    return caughtUp + untold.map((topic) => endMark(topic, formatEventId(end))).join('')
  }

  /** Who comes back with the id of a topic's last event may have been cut before it was told that this was the last. */
  #lostMark({ audience }: Subscriber, { clientId }: Reading, end: Position): readonly Topic[] {
    const { finished } = this.#host.standing
    const position = clientId === undefined ? undefined : parseEventId(clientId)
    const topic = position?.epoch === end.epoch ? finished.topicEndedAt(position.seq) : undefined
    if (topic === undefined || !audience.matchesTopic(topic) || !finished.endOf(topic, end)) return []
    return [topic]
  }

  #join(subscriber: Subscriber, { replayed, source, startedAtMs }: Reading): void {
    const { state } = subscriber
    const { observer, clock } = this.#host
    subscriber.join()
    if (state.name !== 'catching-up') return
    observer.onCaughtUp?.(subscriber, { why: state.why, replayed, source, durationMs: clock.now() - startedAtMs })
  }

  /** The end of the newest pass, when that is how far the reading has come. */
  #arrival(reading: Reading): Position | undefined {
    const { end } = this.#host.flusher
    const { position } = reading
    const isRead = !reading.hasBacklog && !reading.addition && !reading.isOnBridge
    const isThere = isRead && position?.seq === end.seq && position.epoch === end.epoch
    return isThere ? end : undefined
  }

  /** Asks the log, and goes on when it has answered. */
  #ask(subscriber: Subscriber, reading: Reading): false {
    reading.phase = 'reading'
    reading.source = 'log'
    this.#answers.take(subscriber, reading).then(
      () => {
        reading.failures = 0
        this.#goOn(subscriber, reading)
      },
      (error: unknown) => this.#onFailure(subscriber, reading, error),
    )
    return false
  }

  #goOn(subscriber: Subscriber, reading: Reading): void {
    if (subscriber.reading !== reading) return
    reading.phase = 'draining'
    this.resume(subscriber)
  }

  #onFailure(subscriber: Subscriber, reading: Reading, error: unknown): void {
    if (subscriber.reading !== reading) return
    if (!(error instanceof LogError) || error.code !== 'unavailable') {
      subscriber.end('error', encodeComment('the event log cannot be read'))
      return
    }
    const delayMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** reading.failures)
    reading.failures++
    reading.phase = 'retrying'
    reading.retryAtMs = this.#host.clock.now() + delayMs * (0.5 + this.#host.chance.fraction() / 2)
  }
}
