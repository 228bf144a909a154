import type { Position } from '@millrace/protocol'
import { LogError, type NewEvent, type StoredEvent } from '@millrace/server'
import { positionIn, toColumns, toStored, wellFormed } from './event-columns.ts'
import type { AppendGroup, AppendOutcome } from './messages.ts'

/** A group is closed when it has this much, so that no transaction takes long; one append may exceed it. */
const MAX_GROUP_COUNT = 4096
const MAX_GROUP_BYTES = 4 * 1024 * 1024
/** Beyond it appends are refused until some of those that wait are stored. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024

interface Append {
  readonly events: readonly NewEvent[]
  readonly publisher: string
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
  /** Stores one group; undefined when all of it was stored. */
  store(group: AppendGroup, timeMs: number): Promise<AppendOutcome | undefined>
  /** A group is stored; `previous` was the head before it. */
  onStored(events: readonly StoredEvent[], bytes: number, previous: Position): void
}

/**
 * Gathers the appends of a turn into one group, which is one transaction, and what comes while it is stored into the
 * next. One group is under way at a time, so positions are known before they are stored, those of repeated events aside, and
 * a group that fails leaves no hole.
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

  add(given: readonly NewEvent[], publisher: string): Promise<readonly Position[]> {
    const events = given.map(copyOf)
    const bytes = sizeOf(events)
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      const message = `${this.#waitingBytes} bytes wait to be stored already: nothing was stored. Try again in a moment.`
      return Promise.reject(new LogError('unavailable', message))
    }
    this.#waitingBytes += bytes
    return new Promise((resolve, reject) => {
      const group = this.#groupFor(events.length, bytes)
      group.appends.push({ events, publisher, resolve, reject })
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
    const counts = appends.map((append) => append.events.length)
    const publishers = appends.every(({ publisher }) => publisher === '')
      ? []
      : appends.map(({ publisher }) => publisher)
    let outcome: AppendOutcome | undefined
    try {
      outcome = await this.#sink.store({ events: toColumns(events, checks), counts, publishers }, timeMs)
    } catch (error) {
      for (const { reject } of appends) reject(error)
      return
    }
    const { stored, positions } = placesOf(events, { checks, previous, timeMs, counts, outcome })
    this.#sink.onStored(stored, bytes, previous)
    answer(appends, positions, outcome)
  }
}

/** Which events of a group are stored, and where each of it is. */
function placesOf(
  events: readonly NewEvent[],
  group: {
    checks: string
    previous: Position
    timeMs: number
    counts: readonly number[]
    outcome: AppendOutcome | undefined
  },
): { stored: readonly StoredEvent[]; positions: readonly (Position | undefined)[] } {
  const { checks, previous, timeMs, counts, outcome } = group
  const { epoch } = previous
  const known = outcome && placesWithout(counts, outcome, epoch)
  const stored: StoredEvent[] = []
  const positions: (Position | undefined)[] = []
  for (const [i, event] of events.entries()) {
    if (known?.has(i)) {
      positions.push(known.get(i))
      continue
    }
    const position = { epoch, seq: previous.seq + 1 + stored.length, check: checks.slice(i * 3, i * 3 + 3) }
    positions.push(position)
    stored.push(toStored(event, position, timeMs))
  }
  return { stored, positions }
}

/** The events that were not stored now, and where they had been stored before. */
function placesWithout(
  counts: readonly number[],
  { duplicates, refused }: AppendOutcome,
  epoch: string,
): Map<number, Position | undefined> {
  const places = new Map<number, Position | undefined>()
  const starts = startsOf(counts)
  for (const { append } of refused) {
    const start = starts[append] ?? 0
    for (let i = 0; i < (counts[append] ?? 0); i++) places.set(start + i, undefined)
  }
  for (const { at, place } of duplicates) places.set(at, positionIn(epoch, place))
  return places
}

function answer(
  appends: readonly Append[],
  positions: readonly (Position | undefined)[],
  outcome: AppendOutcome | undefined,
): void {
  const refusals = new Map(outcome?.refused.map((refusal) => [refusal.append, refusal]))
  let from = 0
  for (const [i, { events, resolve, reject }] of appends.entries()) {
    const refusal = refusals.get(i)
    const own = positions.slice(from, from + events.length).filter((position) => position !== undefined)
    if (!refusal) resolve(own)
    else reject(new LogError('full', refusal.message, { passes: refusal.passes }))
    from += events.length
  }
}

function startsOf(counts: readonly number[]): number[] {
  const starts: number[] = []
  let start = 0
  for (const count of counts) {
    starts.push(start)
    start += count
  }
  return starts
}

/** The caller may change its own. */
function copyOf({ type, data, key, except, dedupeKey, ...event }: NewEvent): NewEvent {
  return {
    ...event,
    data: wellFormed(data),
    ...(type === undefined ? undefined : { type: wellFormed(type) }),
    ...(key === undefined ? undefined : { key: wellFormed(key) }),
    ...(except === undefined ? undefined : { except: wellFormed(except) }),
    ...(dedupeKey === undefined ? undefined : { dedupeKey: wellFormed(dedupeKey) }),
  }
}

function sizeOf(events: readonly NewEvent[]): number {
  let bytes = 0
  for (const { topic, type = '', data, key = '', except = '', dedupeKey = '' } of events) {
    bytes += topic.length + type.length + data.length + key.length + except.length + dedupeKey.length
  }
  return bytes
}
