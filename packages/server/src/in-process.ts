import { formatEventId, parseEventId, type EventId, type Position, type SyncReason } from '@millrace/protocol'
import { Audience } from './audience.ts'
import type { Engine } from './engine.ts'
import type { Frame } from './frame.ts'
import { LogError, type Gap } from './log.ts'
import type { EventMap } from './publish-event.ts'
import type { SubscribeRequest } from './subscribe-request.ts'

/** An event as a reader inside the process gets it: `data` is the value that was published. */
export type ReceivedEvent<Events extends EventMap = EventMap> = {
  [T in keyof Events & string]: {
    readonly kind: 'event'
    readonly id: EventId
    readonly topic: string
    readonly type: T
    readonly data: Events[T]
    /** Milliseconds since 1970, by the log's clock. */
    readonly timeMs: number
  }
}[keyof Events & string]

/** Events may be missing before what follows: the same as `stream:sync-required` on the wire. */
export interface ReceivedGap {
  readonly kind: 'gap'
  readonly reason: SyncReason
  /** The id that could not be resumed from. */
  readonly from: string
  /** The id after which all that is kept follows. */
  readonly oldest: EventId
}

const RETRY_MS = 250
/** As much of an id as is told back. */
const MAX_SHOWN = 128

/** Reads the hub's events one by one, at the pace of the reader: it holds one page at the most. */
export class InProcessReader {
  readonly #engine: Engine
  readonly #request: SubscribeRequest
  readonly #signal: AbortSignal | undefined
  readonly #audience: Audience
  /** `'now'`: the hub did not follow its log yet when the reader was made. */
  #after: Position | 'oldest' | 'unknown' | 'now'
  /** Whether `#after` was judged to be a place of this log. */
  #isTrusted: boolean

  constructor(engine: Engine, request: SubscribeRequest, signal: AbortSignal | undefined) {
    this.#engine = engine
    this.#request = request
    this.#signal = signal
    this.#audience = new Audience(Audience.keyOf(request), request)
    this.#isTrusted = !request.lastEventId
    if (request.lastEventId) this.#after = parseEventId(request.lastEventId) ?? 'unknown'
    else if (request.from === 'earliest') this.#after = 'oldest'
    else this.#after = engine.isStarted ? engine.flusher.end : 'now'
  }

  async *read(): AsyncGenerator<ReceivedEvent | ReceivedGap, void, undefined> {
    await this.#engine.ready
    if (this.#after === 'now') this.#after = this.#engine.flusher.end
    while (this.#isOpen) {
      const found = this.#fromWindow() ?? (await this.#fromLog())
      for (const each of found) {
        if (!this.#isOpen) return
        yield 'kind' in each ? each : received(each)
      }
      if (found.length === 0 && this.#isAtEnd) await this.#engine.nextAdvance(this.#signal)
    }
  }

  get #isOpen(): boolean {
    return !this.#signal?.aborted && !this.#engine.isClosed
  }

  /** Whether the position is known to be at or beyond the end of the hot window: the rest is yet to come. */
  get #isAtEnd(): boolean {
    const { base, end } = this.#engine.window
    const after = this.#after
    return this.#isTrusted && typeof after === 'object' && after.epoch === base.epoch && after.seq >= end.seq
  }

  /** The next frame of the hot window, if it matches; undefined when the position is not in the window. */
  #fromWindow(): readonly Frame[] | undefined {
    const { window } = this.#engine
    const after = this.#after
    if (typeof after !== 'object' || !window.contains(after)) return undefined
    this.#isTrusted = true
    const frame = window.frameAt(after.seq + 1)
    if (!frame) return []
    this.#after = frame.event.position
    return this.#audience.wants(frame) ? [frame] : []
  }

  /** A page of the log or the gap before it; nothing where nothing is yet, or while the log is away. */
  async #fromLog(): Promise<readonly (Frame | ReceivedGap)[]> {
    if (this.#isAtEnd) return []
    try {
      return await this.#ask()
    } catch (error) {
      if (!(error instanceof LogError) || (error.code !== 'unavailable' && this.#isOpen)) throw error
      await this.#engine.pause(RETRY_MS, this.#signal)
      return []
    }
  }

  async #ask(): Promise<readonly (Frame | ReceivedGap)[]> {
    const { reader } = this.#engine
    const after = this.#after
    if (after === 'now') return []
    if (after === 'unknown') return [this.#takeGap('unknown_id', await reader.bounds())]
    const page = await reader.read(this.#audience, after)
    if (page.kind === 'gap') return [this.#takeGap(page.reason, page)]
    this.#after = page.scannedTo
    this.#isTrusted = true
    const isStuck = typeof after === 'object' && page.scannedTo.seq === after.seq && !this.#isAtEnd
    if (isStuck) throw new LogError('unavailable', 'The event log returned nothing where more must come.')
    return page.frames
  }

  #takeGap(reason: SyncReason, { oldest, head }: Pick<Gap, 'oldest' | 'head'>): ReceivedGap {
    const { from, lastEventId = '' } = this.#request
    const failed = typeof this.#after === 'object' ? formatEventId(this.#after) : lastEventId.slice(0, MAX_SHOWN)
    this.#after = from === 'earliest' ? oldest : head
    this.#isTrusted = true
    return { kind: 'gap', reason, from: failed, oldest: formatEventId(oldest) }
  }
}

function received(frame: Frame): ReceivedEvent {
  const { topic, type = 'message', data, json, timeMs } = frame.event
  return { kind: 'event', id: frame.id, topic, type, data: json ? JSON.parse(data) : data, timeMs }
}
