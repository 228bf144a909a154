// oxlint-disable typescript/require-await -- the contract is asynchronous: `async` turns what is thrown into a rejection
import type { Position } from '@millrace/protocol'
import type { Page, StoredEvent, Tail, TailListener } from '../log.ts'

/** At most this many events are handed over at once. */
const MAX_BATCH_COUNT = 1024
/** What a tail holds back for a busy listener; beyond it the tail reads the log. One append may exceed it. */
const MAX_WAITING_COUNT = 16_384
const MAX_WAITING_BYTES = 16 * 1024 * 1024

/** What a tail needs of its log. */
export interface TailSource {
  /** Kept events after a position, of all topics. */
  readAfter(after: Position, maxCount: number): Page
  /** Called once, when the tail was closed. */
  onTailClosed(tail: MemoryTail): void
}

/**
 * Hands events over in a microtask of their append, one batch at a time. What is appended while the listener is busy
 * waits here, beyond the reach of retention; only a tail that falls far behind reads the log and can be overtaken.
 */
export class MemoryTail implements Tail {
  readonly start: Position
  readonly #source: TailSource
  readonly #listener: TailListener
  /** Taken from appends and not handed over yet, from index `#waitingFrom` on. */
  #waiting: StoredEvent[] = []
  #waitingFrom = 0
  #waitingBytes = 0
  /** Everything up to here was handed over, is in `#waiting`, or was evicted. */
  #takenTo: Position
  #head: Position
  #isRunning = false
  #isClosed = false

  constructor(start: Position, head: Position, source: TailSource, listener: TailListener) {
    this.start = start
    this.#takenTo = start
    this.#head = head
    this.#source = source
    this.#listener = listener
    this.#wake()
  }

  /** Offers what was just appended; `previous` was the head before it. */
  offer(events: readonly StoredEvent[], sizeBytes: number, previous: Position): void {
    this.#head = events.at(-1)?.position ?? previous
    if (this.#takenTo.seq === previous.seq && this.#hasRoomFor(events.length, sizeBytes)) {
      for (const event of events) this.#waiting.push(event)
      this.#waitingBytes += sizeBytes
      this.#takenTo = this.#head
    }
    this.#wake()
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#waiting = []
    this.#source.onTailClosed(this)
  }

  #hasRoomFor(count: number, sizeBytes: number): boolean {
    const waitingCount = this.#waiting.length - this.#waitingFrom
    if (waitingCount === 0) return true
    return waitingCount + count <= MAX_WAITING_COUNT && this.#waitingBytes + sizeBytes <= MAX_WAITING_BYTES
  }

  #wake(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    queueMicrotask(() => void this.#run())
  }

  async #run(): Promise<void> {
    try {
      for (let events = this.#take(); events.length > 0; events = this.#take()) await this.#listener.onEvents(events)
      this.#isRunning = false
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** The next batch; empty when the tail is at the head or closed. */
  #take(): readonly StoredEvent[] {
    if (this.#isClosed) return []
    if (this.#waitingFrom < this.#waiting.length) return this.#takeWaiting()
    while (this.#takenTo.seq < this.#head.seq) {
      const { events, scannedTo } = this.#source.readAfter(this.#takenTo, MAX_BATCH_COUNT)
      this.#takenTo = scannedTo
      if (events.length > 0) return events
    }
    return []
  }

  #takeWaiting(): StoredEvent[] {
    const from = this.#waitingFrom
    const events = this.#waiting.slice(from, from + MAX_BATCH_COUNT)
    this.#waitingFrom += events.length
    if (this.#waitingFrom === this.#waiting.length) {
      this.#waiting = []
      this.#waitingFrom = 0
      this.#waitingBytes = 0
    }
    return events
  }
}
