import type { Position } from '@millrace/protocol'
import { LogError, type NewEvent, type StoredEvent } from '@millrace/server'
import { toColumns, toStored, wellFormed } from './event-columns.ts'
import type { NewEventColumns } from './messages.ts'

/** A group is closed when it has this much, so that no transaction takes long; one append may exceed it. */
const MAX_GROUP_COUNT = 4096
const MAX_GROUP_BYTES = 4 * 1024 * 1024
/** Beyond it appends are refused until some of those that wait are stored. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024

interface Append {
  readonly events: readonly NewEvent[]
  resolve(positions: readonly Position[]): void
  reject(error: unknown): void
}

interface Group {
  readonly appends: Append[]
  count: number
  bytes: number
}

/** What the queue needs of its log. */
export interface AppendSink {
  readonly head: Position
  /** Draws checks: three characters for each of so many events. */
  drawChecks(count: number): string
  /** Log time for a group that is about to be stored. */
  nextTimeMs(): number
  /** Stores one group. */
  store(events: NewEventColumns, timeMs: number): Promise<unknown>
  /** A group is stored; `previous` was the head before it. */
  onStored(events: readonly StoredEvent[], bytes: number, previous: Position): void
}

/**
 * Gathers the appends of a turn into one group, which is one transaction, and what comes while it is stored into the
 * next. One group is under way at a time, so positions are known before they are stored, and a group that fails leaves no hole.
 */
export class AppendQueue {
  readonly #sink: AppendSink
  readonly #groups: Group[] = []
  #waitingBytes = 0
  #isStoring = false
  #isPlanned = false
  #onIdle: (() => void)[] = []

  constructor(sink: AppendSink) {
    this.#sink = sink
  }

  add(given: readonly NewEvent[]): Promise<readonly Position[]> {
    const events = given.map(copyOf)
    const bytes = sizeOf(events)
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      const message = `${this.#waitingBytes} bytes wait to be stored already: nothing was stored. Try again in a moment.`
      return Promise.reject(new LogError('unavailable', message))
    }
    this.#waitingBytes += bytes
    return new Promise((resolve, reject) => {
      const group = this.#groupFor(events.length, bytes)
      group.appends.push({ events, resolve, reject })
      group.count += events.length
      group.bytes += bytes
      if (this.#isStoring || this.#isPlanned) return
      this.#isPlanned = true
      // After the callbacks of this turn, each of which may append.
      setImmediate(() => {
        this.#isPlanned = false
        void this.#run()
      })
    })
  }

  /** Resolves when all that was added is stored or refused. */
  idle(): Promise<void> {
    if (this.#groups.length === 0 && !this.#isStoring) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }

  #groupFor(count: number, bytes: number): Group {
    const last = this.#groups.at(-1)
    if (last && last.count + count <= MAX_GROUP_COUNT && last.bytes + bytes <= MAX_GROUP_BYTES) return last
    const group: Group = { appends: [], count: 0, bytes: 0 }
    this.#groups.push(group)
    return group
  }

  async #run(): Promise<void> {
    this.#isStoring = true
    for (let group = this.#groups.shift(); group; group = this.#groups.shift()) {
      await this.#store(group)
      this.#waitingBytes -= group.bytes
    }
    this.#isStoring = false
    const waiting = this.#onIdle
    this.#onIdle = []
    for (const resolve of waiting) resolve()
  }

  async #store({ appends, count, bytes }: Group): Promise<void> {
    const previous = this.#sink.head
    const checks = this.#sink.drawChecks(count)
    const timeMs = this.#sink.nextTimeMs()
    const events = appends.flatMap((append) => append.events)
    try {
      await this.#sink.store(toColumns(events, checks), timeMs)
    } catch (error) {
      for (const { reject } of appends) reject(error)
      return
    }
    const stored = events.map((event, i) => {
      const seq = previous.seq + 1 + i
      return toStored(event, { epoch: previous.epoch, seq, check: checks.slice(i * 3, i * 3 + 3) }, timeMs)
    })
    this.#sink.onStored(stored, bytes, previous)
    let from = 0
    for (const append of appends) {
      append.resolve(stored.slice(from, from + append.events.length).map(({ position }) => position))
      from += append.events.length
    }
  }
}

/** The caller may change its own. */
function copyOf({ type, data, ...event }: NewEvent): NewEvent {
  return { ...event, data: wellFormed(data), ...(type === undefined ? undefined : { type: wellFormed(type) }) }
}

function sizeOf(events: readonly NewEvent[]): number {
  let bytes = 0
  for (const { topic, type = '', data } of events) bytes += topic.length + type.length + data.length
  return bytes
}
