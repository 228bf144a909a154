import type { Position } from '@millrace/protocol'
import { LogError, type StoredEvent, type Tail, type TailListener } from '@millrace/server'

/** At most this many events are handed over at once. */
const MAX_BATCH_COUNT = 1024
/** What a tail holds back for a busy listener; beyond it the tail reads the file. One group may exceed it. */
const MAX_WAITING_COUNT = 16_384
const MAX_WAITING_BYTES = 16 * 1024 * 1024

/** What a tail needs of its log. */
export interface TailSource {
  readonly head: Position
  /** Kept events after one position and up to another, of all topics; all up to `scannedTo`. */
  scan(
    after: Position,
    to: Position,
    maxCount: number,
  ): Promise<{ events: readonly StoredEvent[]; scannedTo: Position }>
  /** Called once, when the tail was closed. */
  onTailClosed(tail: SqliteTail): void
}

/**
 * Hands over what was stored, one batch at a time. What is stored while the listener is busy waits here, beyond the reach
 * of retention; only a tail that falls far behind reads the file, and can be overtaken.
 */
export class SqliteTail implements Tail {
  readonly start: Position
  readonly #source: TailSource
  readonly #listener: TailListener
  /** Stored and not handed over yet. */
  #waiting: (readonly StoredEvent[])[] = []
  #waitingCount = 0
  #waitingBytes = 0
  /** Everything up to here was handed over, is in `#waiting`, or was evicted. */
  #takenTo: Position
  #isRunning = false
  #isAway = false
  #isClosed = false

  constructor(start: Position, source: TailSource, listener: TailListener) {
    this.start = start
    this.#source = source
    this.#listener = listener
    this.#takenTo = start
    this.#wake()
  }

  /** Offers what was just stored; `previous` was the head before it. */
  offer(events: readonly StoredEvent[], bytes: number, previous: Position): void {
    const last = events.at(-1)
    if (last && this.#takenTo.seq === previous.seq && this.#hasRoomFor(events.length, bytes)) {
      this.#waiting.push(events)
      this.#waitingCount += events.length
      this.#waitingBytes += bytes
      this.#takenTo = last.position
    }
    this.#wake()
  }

  /** The log is away: what waits is still handed over. */
  interrupt(error: LogError): void {
    if (this.#isAway || this.#isClosed) return
    this.#isAway = true
    this.#listener.onInterrupted(error)
  }

  resume(): void {
    if (!this.#isAway || this.#isClosed) return
    this.#isAway = false
    this.#listener.onResumed()
    this.#wake()
  }

  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true
      this.#waiting = []
      this.#source.onTailClosed(this)
    }
    return Promise.resolve()
  }

  #hasRoomFor(count: number, bytes: number): boolean {
    if (this.#waitingCount === 0) return true
    return this.#waitingCount + count <= MAX_WAITING_COUNT && this.#waitingBytes + bytes <= MAX_WAITING_BYTES
  }

  #wake(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    queueMicrotask(() => void this.#run())
  }

  async #run(): Promise<void> {
    try {
      for (let events = await this.#take(); events; events = await this.#take()) {
        for (let from = 0; from < events.length && !this.#isClosed; from += MAX_BATCH_COUNT) {
          await this.#listener.onEvents(events.slice(from, from + MAX_BATCH_COUNT))
        }
      }
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** The next events; undefined when the tail is at the head, closed, or cannot read: it is not running any more then. */
  async #take(): Promise<readonly StoredEvent[] | undefined> {
    let isReadable = true
    while (!this.#isClosed) {
      if (this.#waitingCount > 0) return this.#takeWaiting()
      if (!isReadable || this.#takenTo.seq === this.#source.head.seq) break
      const events = await this.#readOn()
      if (events && events.length > 0) return events
      isReadable = events !== undefined
    }
    // In the same turn as the last look: whoever offers something from here on wakes it.
    this.#isRunning = false
    return undefined
  }

  /** Reads a page of what was not offered here; undefined when that fails. */
  async #readOn(): Promise<readonly StoredEvent[] | undefined> {
    try {
      const { events, scannedTo } = await this.#source.scan(this.#takenTo, this.#source.head, MAX_BATCH_COUNT)
      this.#takenTo = scannedTo
      return events
    } catch (error) {
      if (!(error instanceof LogError)) throw error
      // It is tried again when something is stored, or time goes by.
      if (error.code === 'unavailable') this.interrupt(error)
      return undefined
    }
  }

  #takeWaiting(): readonly StoredEvent[] {
    const events = this.#waiting.length === 1 ? (this.#waiting[0] ?? []) : this.#waiting.flat()
    this.#waiting = []
    this.#waitingCount = 0
    this.#waitingBytes = 0
    return events
  }
}
