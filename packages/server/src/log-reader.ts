import { formatEventId, type Position, type Selector } from '@millrace/protocol'
import type { Audience } from './audience.ts'
import type { Clock } from './clock.ts'
import { Frame } from './frame.ts'
import type { LogFaults } from './log-faults.ts'
import { LogError, type Bounds, type EventLog, type Gap, type SnapshotCursor, type SnapshotKind } from './log.ts'
import type { TopicKinds } from './topic-kinds.ts'

/** Log reads that may be under way at once; the others wait their turn. */
const MAX_READS = 16

/** What is loaded of values and ended topics at once. */
const STANDING_LIMITS: LogReaderLimits = Object.freeze({ maxCount: 1_000, maxBytes: 1024 * 1024 })

/** A page of the log, as frames that all its readers share. */
export interface FramePage {
  readonly kind: 'page'
  readonly frames: readonly Frame[]
  readonly scannedTo: Position
}

/** A page of a snapshot. */
export interface SnapshotPage {
  readonly frames: readonly Frame[]
  readonly at: Position
  readonly next: SnapshotCursor | undefined
  readonly partial: boolean
}

export interface LogReaderLimits {
  readonly maxCount: number
  readonly maxBytes: number
}

export interface LogReaderHost {
  readonly log: EventLog
  readonly clock: Clock
  readonly kinds: TopicKinds
  readonly onError: (error: unknown, context: string) => void
  readonly faults: LogFaults
}

/** Reads the log for those who catch up: few reads at once, and one for all who want the same page at the same time. */
export class LogReader {
  readonly #host: LogReaderHost
  readonly #limits: LogReaderLimits
  readonly #pages = new Map<string, Promise<FramePage | Gap>>()
  readonly #snapshots = new Map<string, Promise<SnapshotPage>>()
  readonly #waiting: (() => void)[] = []
  #reads = 0

  constructor(host: LogReaderHost, limits: LogReaderLimits) {
    this.#host = host
    this.#limits = limits
  }

  /** How many reads are under way or wait for their turn. */
  get pending(): number {
    return this.#reads + this.#waiting.length
  }

  bounds(): Promise<Bounds> {
    return this.#inTurn(() => this.#host.log.bounds())
  }

  /** The events of all types after a position: the next page of them. */
  read(audience: Audience, after: Position | 'oldest'): Promise<FramePage | Gap> {
    if (after === 'oldest') return this.#readPage(audience, after)
    const key = `${formatEventId(after)} ${audience.key}`
    return share(this.#pages, key, () => this.#readPage(audience, after))
  }

  /** The last event of each log topic that the audience has selected, of all types: the first page or the next. */
  snapshot(audience: Audience, cursor: SnapshotCursor | undefined): Promise<SnapshotPage> {
    const from = cursor ? `${formatEventId(cursor.at)} ${cursor.afterSeq}` : ''
    const read = (): Promise<SnapshotPage> => this.#readSnapshot('log', audience.selectors, cursor, this.#limits)
    return share(this.#snapshots, `${from} ${audience.key}`, read)
  }

  /** All values of state topics, or the last events of all finished topics: the first page or the next. */
  standing(of: 'state' | 'ended', cursor: SnapshotCursor | undefined): Promise<SnapshotPage> {
    return this.#readSnapshot(of, 'all', cursor, STANDING_LIMITS)
  }

  /** Forgets all pages: they may be of another epoch. */
  reset(): void {
    this.#pages.clear()
    this.#snapshots.clear()
  }

  async #readPage(audience: Audience, after: Position | 'oldest'): Promise<FramePage | Gap> {
    const { selectors } = audience
    const page = await this.#inTurn(() => this.#host.log.read({ after, selectors, ...this.#limits }))
    if (page.kind === 'gap') return page
    const nowMs = this.#host.clock.now()
    return { kind: 'page', frames: page.events.map((event) => new Frame(event, nowMs)), scannedTo: page.scannedTo }
  }

  async #readSnapshot(
    of: SnapshotKind,
    selectors: readonly Selector[] | 'all',
    cursor: SnapshotCursor | undefined,
    limits: LogReaderLimits,
  ): Promise<SnapshotPage> {
    const options = { of, ...limits, ...(cursor ? { cursor } : {}) }
    const page = await this.#inTurn(() => this.#host.log.snapshot(selectors, options))
    const nowMs = this.#host.clock.now()
    const frames = page.events.map((event) => new Frame(event, nowMs, of === 'state'))
    return { frames, at: page.at, next: page.next, partial: page.partial }
  }

  async #inTurn<T>(read: () => Promise<T>): Promise<T> {
    if (this.#reads >= MAX_READS) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#reads++
    const { faults } = this.#host
    try {
      return await read()
    } catch (error) {
      faults.note(error, 'reading the event log')
      if (error instanceof LogError) throw error
      this.#host.onError(error, 'reading the event log')
      throw new LogError('unavailable', 'The event log failed.', { cause: error })
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#reads--
    }
  }
}

/** One read for all who want the same while it is under way. */
function share<T>(reads: Map<string, Promise<T>>, key: string, read: () => Promise<T>): Promise<T> {
  const known = reads.get(key)
  if (known) return known
  const page = read()
  reads.set(key, page)
  const forget = (): void => {
    if (reads.get(key) === page) reads.delete(key)
  }
  page.then(forget, forget)
  return page
}
