import { formatEventId, type Position } from '@millrace/protocol'
import type { Audience } from './audience.ts'
import type { Clock } from './clock.ts'
import { Frame } from './frame.ts'
import { LogError, type Bounds, type EventLog, type Gap } from './log.ts'

/** Log reads that may be under way at once; the others wait their turn. */
const MAX_READS = 16

/** A page of the log, as frames that all its readers share. */
export interface FramePage {
  readonly kind: 'page'
  readonly frames: readonly Frame[]
  readonly scannedTo: Position
}

export interface LogReaderLimits {
  readonly maxCount: number
  readonly maxBytes: number
}

export interface LogReaderHost {
  readonly log: EventLog
  readonly clock: Clock
  readonly onError: (error: unknown, context: string) => void
}

/** Reads the log for those who catch up: few reads at once, and one for all who want the same page at the same time. */
export class LogReader {
  readonly #host: LogReaderHost
  readonly #limits: LogReaderLimits
  readonly #pages = new Map<string, Promise<FramePage | Gap>>()
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

  read(audience: Audience, after: Position | 'oldest'): Promise<FramePage | Gap> {
    if (after === 'oldest') return this.#readPage(audience, after)
    const key = `${formatEventId(after)} ${audience.key}`
    const known = this.#pages.get(key)
    if (known) return known
    const page = this.#readPage(audience, after)
    this.#pages.set(key, page)
    const forget = (): void => {
      if (this.#pages.get(key) === page) this.#pages.delete(key)
    }
    page.then(forget, forget)
    return page
  }

  /** Forgets all pages: they may be of another epoch. */
  reset(): void {
    this.#pages.clear()
  }

  async #readPage(audience: Audience, after: Position | 'oldest'): Promise<FramePage | Gap> {
    const { selectors } = audience
    const page = await this.#inTurn(() => this.#host.log.read({ after, selectors, ...this.#limits }))
    if (page.kind === 'gap') return page
    const nowMs = this.#host.clock.now()
    const frames = page.events.map((event) => new Frame(event, nowMs)).filter((frame) => audience.acceptsType(frame))
    return { kind: 'page', frames, scannedTo: page.scannedTo }
  }

  async #inTurn<T>(read: () => Promise<T>): Promise<T> {
    if (this.#reads >= MAX_READS) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#reads++
    try {
      return await read()
    } catch (error) {
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
