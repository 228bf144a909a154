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

/** Reads the hub's events one by one, at the pace of the reader: it holds one page at the most. */
export class InProcessReader {
  readonly #engine: Engine
  readonly #request: SubscribeRequest
  readonly #signal: AbortSignal | undefined
  readonly #audience: Audience
  #after: Position | 'oldest'

  constructor(engine: Engine, request: SubscribeRequest, signal: AbortSignal | undefined) {
    this.#engine = engine
    this.#request = request
    this.#signal = signal
    this.#audience = new Audience(Audience.keyOf(request), request)
    this.#after = request.from === 'earliest' ? 'oldest' : engine.flusher.end
  }

  async *read(): AsyncGenerator<ReceivedEvent | ReceivedGap, void, undefined> {
    const { lastEventId } = this.#request
    if (lastEventId) {
      const position = parseEventId(lastEventId)
      if (position) this.#after = position
      else yield await this.#unknownId(lastEventId)
    }
    while (this.#isOpen) {
      const after = this.#after
      if (typeof after === 'object' && this.#engine.window.contains(after)) yield* this.#readWindow(after)
      else yield* this.#readPage(after)
    }
  }

  get #isOpen(): boolean {
    return !this.#signal?.aborted && !this.#engine.isClosed
  }

  async *#readWindow(after: Position): AsyncGenerator<ReceivedEvent> {
    const frame = this.#engine.window.frameAt(after.seq + 1)
    if (!frame) {
      await this.#engine.nextAdvance(this.#signal)
      return
    }
    this.#after = frame.event.position
    if (this.#audience.wants(frame)) yield received(frame)
  }

  async *#readPage(after: Position | 'oldest'): AsyncGenerator<ReceivedEvent | ReceivedGap> {
    const { reader, clock, window } = this.#engine
    if (typeof after === 'object' && after.epoch === window.base.epoch && after.seq > window.end.seq) {
      await this.#engine.nextAdvance(this.#signal)
    }
    try {
      const page = await reader.read(this.#audience, after)
      if (page.kind === 'gap') {
        yield this.#goOnAfterGap(page.reason, typeof after === 'object' ? formatEventId(after) : '', page)
        return
      }
      for (const frame of page.frames) {
        if (!this.#isOpen) return
        this.#after = frame.event.position
        yield received(frame)
      }
      this.#after = page.scannedTo
    } catch (error) {
      if (!(error instanceof LogError) || error.code !== 'unavailable') throw error
      await new Promise<void>((resolve) => {
        clock.after(RETRY_MS, resolve)
      })
    }
  }

  async #unknownId(clientId: string): Promise<ReceivedGap> {
    return this.#goOnAfterGap('unknown_id', clientId.slice(0, 128), await this.#engine.reader.bounds())
  }

  #goOnAfterGap(reason: SyncReason, from: string, { oldest, head }: Pick<Gap, 'oldest' | 'head'>): ReceivedGap {
    this.#after = this.#request.from === 'earliest' ? oldest : head
    return { kind: 'gap', reason, from, oldest: formatEventId(oldest) }
  }
}

function received(frame: Frame): ReceivedEvent {
  const { topic, type = 'message', data, json, timeMs } = frame.event
  return { kind: 'event', id: frame.id, topic, type, data: json ? JSON.parse(data) : data, timeMs }
}
