import type { Position } from '@millrace/protocol'
import { LogError, type EventLog, type StoredEvent, type Tail, type TailListener } from '@millrace/server'

/** A log whose backend goes away and comes back, and that begins new epochs: what a log in memory never does. */
export class FlakyLog implements EventLog {
  readonly guarantees: EventLog['guarantees']
  readonly #createLog: () => EventLog
  readonly #tails = new Set<FlakyTail>()
  #log: EventLog
  #isAway = false

  constructor(createLog: () => EventLog) {
    this.#createLog = createLog
    this.#log = createLog()
    this.guarantees = this.#log.guarantees
  }

  async interrupt(): Promise<void> {
    this.#isAway = true
    for (const tail of this.#tails) await tail.interrupt()
  }

  async resume(): Promise<void> {
    this.#isAway = false
    for (const tail of this.#tails) await tail.resume(this.#log)
  }

  /** Everything is lost, and the log says so. */
  async beginEpoch(): Promise<void> {
    await this.#log.close()
    this.#log = this.#createLog()
    const { head } = await this.#log.bounds()
    for (const tail of this.#tails) await tail.beginEpoch(this.#log, head)
  }

  append: EventLog['append'] = (events, options) => this.#call(() => this.#log.append(events, options))
  read: EventLog['read'] = (query) => this.#call(() => this.#log.read(query))
  snapshot: EventLog['snapshot'] = (selectors, options) => this.#call(() => this.#log.snapshot(selectors, options))
  recent: EventLog['recent'] = (limits) => this.#call(() => this.#log.recent(limits))
  bounds: EventLog['bounds'] = () => this.#call(() => this.#log.bounds())

  tail: EventLog['tail'] = (after, listener) =>
    this.#call(async () => {
      const tail = new FlakyTail(listener, (closed) => this.#tails.delete(closed))
      await tail.follow(this.#log, after)
      this.#tails.add(tail)
      return tail
    })

  async close(): Promise<void> {
    await this.#log.close()
  }

  async #call<T>(method: () => Promise<T>): Promise<T> {
    if (this.#isAway) throw new LogError('unavailable', 'The backend is away.')
    return method()
  }
}

class FlakyTail implements Tail {
  readonly #listener: TailListener
  readonly #onClose: (tail: FlakyTail) => void
  #tail: Tail | undefined
  #start: Position | undefined
  #last: Position | undefined
  #isClosed = false

  constructor(listener: TailListener, onClose: (tail: FlakyTail) => void) {
    this.#listener = listener
    this.#onClose = onClose
  }

  get start(): Position {
    return this.#start as Position
  }

  async follow(log: EventLog, after: Position | 'head'): Promise<void> {
    this.#last = after === 'head' ? undefined : after
    this.#tail = await log.tail(after, { ...silent, onEvents: (events) => this.#handOver(events) })
    this.#start ??= this.#tail.start
    this.#last ??= this.#tail.start
  }

  async interrupt(): Promise<void> {
    await this.#tail?.close()
    if (!this.#isClosed) this.#listener.onInterrupted(new LogError('unavailable', 'The backend went away.'))
  }

  async resume(log: EventLog): Promise<void> {
    if (this.#isClosed) return
    this.#listener.onResumed()
    await this.follow(log, this.#last ?? 'head')
  }

  async beginEpoch(log: EventLog, head: Position): Promise<void> {
    if (this.#isClosed) return
    this.#listener.onEpoch(head)
    await this.follow(log, head)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#onClose(this)
    await this.#tail?.close()
  }

  #handOver(events: readonly StoredEvent[]): void | Promise<void> {
    this.#last = events.at(-1)?.position
    return this.#listener.onEvents(events)
  }
}

const silent: TailListener = {
  onEvents: () => undefined,
  onEpoch: () => undefined,
  onInterrupted: () => undefined,
  onResumed: () => undefined,
}
