import { encodeComment, formatEventId, type Position, type SyncReason } from '@millrace/protocol'
import type { Chance } from './chance.ts'
import type { Clock } from './clock.ts'
import { controlBlock } from './control-block.ts'
import type { Flusher } from './flusher.ts'
import type { Frame } from './frame.ts'
import type { HotWindow } from './hot-window.ts'
import type { HubObserver } from './hub-observer.ts'
import { LogError } from './log.ts'
import type { FramePage, LogReader } from './log-reader.ts'
import type { Reading } from './reading.ts'
import { SharedPages } from './shared-pages.ts'
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
}

/**
 * Brings subscribers from their position to the present: pages from the log while they are behind the hot window,
 * then the rest of the window, then into their audience. Each goes at the pace at which its transport drains.
 */
export class CatchUps {
  readonly #host: CatchUpHost
  readonly #waiting = new Set<Subscriber>()
  readonly #pages = new SharedPages()
  #queue: Subscriber[] = []
  #isScheduled = false

  constructor(host: CatchUpHost) {
    this.#host = host
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
    }
    if (this.#queue.length > 0) this.#schedule()
  }

  #step(subscriber: Subscriber, reading: Reading): void {
    reading.phase = 'draining'
    if (subscriber.roomBytes === 0) return
    if (!reading.hasBacklog && !this.#refill(subscriber, reading)) return
    this.#write(subscriber, reading)
    if (subscriber.reading === reading && subscriber.roomBytes > 0) this.resume(subscriber)
  }

  /** Finds out what comes next. False: that takes time. */
  #refill(subscriber: Subscriber, reading: Reading): boolean {
    const { flusher, window } = this.#host
    const { after } = reading
    if (typeof after === 'string') return this.#ask(subscriber, reading)
    if (window.contains(after)) {
      reading.trusted = true
      if (after.seq > flusher.end.seq) return this.#wait(subscriber, reading)
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
    const lastSeq = Math.min(flusher.end.seq, after.seq + MAX_SCAN)
    const frames: Frame[] = []
    let room = subscriber.roomBytes
    let end = after
    for (let seq = after.seq + 1; seq <= lastSeq && room > 0; seq++) {
      const frame = window.frameAt(seq)
      if (!frame) break
      end = frame.event.position
      if (!audience.wants(frame)) continue
      frames.push(frame)
      room -= frame.bytes(audience.variant).byteLength
    }
    reading.fill(frames, end)
  }

  /** Writes what fits; when that was the last up to the end of the newest pass, the subscriber is live. */
  #write(subscriber: Subscriber, reading: Reading): void {
    const { variant } = subscriber.audience
    const frames = reading.take(subscriber.roomBytes, (frame) => frame.bytes(variant).byteLength)
    const last = frames.at(-1)
    const arrived = this.#arrival(reading)
    let note = ''
    if (arrived && reading.announce) {
      note = controlBlock('stream:caught-up', { replayed: reading.replayed }, arrived)
    }
    const sent = arrived && reading.announce ? arrived : last?.event.position
    if (sent) subscriber.writeReplay(this.#pages.payload(frames, variant, note), frames.length, sent)
    if (arrived && subscriber.reading === reading) this.#join(subscriber, reading)
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
    const isThere = position?.seq === end.seq && position.epoch === end.epoch && !reading.hasBacklog
    return isThere ? end : undefined
  }

  /** Asks the log, and goes on when it has answered. */
  #ask(subscriber: Subscriber, reading: Reading): false {
    reading.phase = 'reading'
    reading.source = 'log'
    this.#answer(subscriber, reading).then(
      () => {
        reading.failures = 0
        this.#goOn(subscriber, reading)
      },
      (error: unknown) => this.#onFailure(subscriber, reading, error),
    )
    return false
  }

  async #answer(subscriber: Subscriber, reading: Reading): Promise<void> {
    const { reader } = this.#host
    if (reading.after === 'unknown') {
      const { oldest, head } = await this.#bounds(subscriber)
      this.#tellGap(subscriber, reading, 'unknown_id', oldest, head)
      return
    }
    const page = await reader.read(subscriber.audience, reading.after)
    if (subscriber.reading !== reading) return
    if (page.kind === 'page') this.#takePage(reading, page)
    else this.#tellGap(subscriber, reading, page.reason, page.oldest, page.head)
  }

  /** The log's bounds, `oldest` as the selectors have it: where nothing that matches was lost since may be later. */
  async #bounds({ audience }: Subscriber): Promise<{ oldest: Position; head: Position }> {
    const { reader } = this.#host
    const bounds = await reader.bounds()
    const page = await reader.read(audience, bounds.oldest)
    return page.kind === 'gap' ? page : bounds
  }

  #takePage(reading: Reading, page: FramePage): void {
    const { window } = this.#host
    const before = reading.after
    reading.fill(page.frames, page.scannedTo)
    const { after } = reading
    const isStuck = typeof before === 'object' && typeof after === 'object' && after.seq === before.seq
    const isElsewhere = isStuck && (after.epoch !== window.base.epoch || after.seq < window.base.seq)
    if (isElsewhere && !reading.hasBacklog) {
      throw new LogError(
        'unavailable',
        'The event log returned nothing where more must come: it lags behind its tail, or its tail has not heard of its epoch.',
      )
    }
  }

  #tellGap(subscriber: Subscriber, reading: Reading, reason: SyncReason, oldest: Position, head: Position): void {
    if (subscriber.reading !== reading) return
    this.#host.observer.onGap?.(subscriber, reason)
    const goOnAfter = subscriber.request.from === 'earliest' ? oldest : head
    const from = typeof reading.after === 'object' ? formatEventId(reading.after) : (reading.clientId ?? '')
    reading.after = goOnAfter
    reading.trusted = true
    subscriber.writeText(
      controlBlock('stream:sync-required', { reason, from, oldest: formatEventId(oldest) }, goOnAfter),
      goOnAfter,
    )
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
