import type { MissedNotice } from './event-feed.ts'

/** An event as handlers and readers get it. */
export interface DeliveredEvent {
  readonly type: string
  readonly data: unknown
  readonly topic: string
  readonly id: string
}

interface Entry {
  readonly event?: DeliveredEvent
  /** Gone as soon as the state was fetched anew. */
  missed?: MissedNotice | undefined
  /** The id to resume from once this entry is done with; undefined when it moves none. */
  readonly id: string | undefined
}

interface Reader {
  /** The entry that it has in hand, or wants next. */
  at: number
  hasEvent: boolean
  isOver: boolean
  wake: (() => void) | undefined
}

export interface DeliveryHost {
  /** More waiting than this, and `ready` waits. */
  readonly maxQueueCount: number
  /** Hands an event to all handlers. Must not throw. */
  handle(event: DeliveredEvent): void
  /** Fetches the state anew. Resolves when it is done, however often it was tried. */
  sync(notice: MissedNotice): Promise<void>
  /** Everything up to here is done with. */
  keep(id: string): void
}

/**
 * Hands what a feed brings to handlers and to readers, in order.
 *
 * Handlers are called as soon as an event is there; each reader goes at its own pace, and what the slowest has not taken
 * waits. Nothing is dropped: when too much waits, `ready` does too, and the feed stops reading. Before anybody has asked
 * for events they wait for whoever comes first. A notice of missed events is a gate: it opens when all before it was
 * taken and the state was fetched anew.
 */
export class Delivery {
  readonly #host: DeliveryHost
  #entries: Entry[] = []
  /** The index of the first entry; entries are counted from the start of the stream. */
  #first = 0
  /** The next entry for the handlers; readers come after them. */
  #next = 0
  readonly #readers = new Set<Reader>()
  #hasHandlers = false
  #isHanding = false
  #receivedId: string
  readonly #waiting: (() => void)[] = []
  #end: { readonly error: Error | undefined } | undefined

  constructor(host: DeliveryHost, startId: string) {
    this.#host = host
    this.#receivedId = startId
  }

  get receivedId(): string {
    return this.#receivedId
  }

  get queuedCount(): number {
    return this.#entries.length
  }

  push(entry: Entry): void {
    this.#entries.push(entry)
    this.#receivedId = entry.id ?? this.#receivedId
    this.#hand()
  }

  ready(): Promise<void> | undefined {
    return this.#isReady() ? undefined : new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Handlers are there: in a moment, so that those that are added together see the same. */
  start(): void {
    queueMicrotask(() => {
      this.#hasHandlers = true
      this.#hand()
    })
  }

  /** Nothing more comes: readers end when they have all that was handed on, by the error if there is one. */
  finish(error?: Error): void {
    this.#end ??= { error }
    this.#release()
  }

  /** Ends at once, whatever waits. */
  close(): void {
    this.#entries = []
    this.#next = this.#first
    for (const reader of this.#readers) reader.at = this.#first
    this.#end = { error: undefined }
    this.#release()
  }

  /** Events for one reader, from the first that nobody has been handed. */
  read(): AsyncIterator<DeliveredEvent, undefined> {
    const reader: Reader = { at: -1, hasEvent: false, isOver: false, wake: undefined }
    const leave = (): IteratorReturnResult<undefined> => {
      reader.isOver = true
      if (this.#readers.delete(reader) && !this.#hasHandlers && this.#readers.size === 0) this.#next = reader.at
      reader.wake?.()
      return { done: true, value: undefined }
    }
    const next = async (): Promise<IteratorResult<DeliveredEvent, undefined>> => {
      if (reader.at < 0) reader.at = this.#next
      if (!reader.isOver) this.#readers.add(reader)
      this.#pass(reader)
      this.#hand()
      while (!reader.isOver) {
        for (; reader.at < this.#next; reader.at++) {
          const value = this.#entries[reader.at - this.#first]?.event
          if (!value || value.type.startsWith('stream:')) continue
          reader.hasEvent = true
          return { done: false, value }
        }
        this.#hand()
        if (reader.at < this.#next) continue
        if (this.#end && this.#isEmpty()) {
          const { error } = this.#end
          leave()
          if (error) throw error
        } else await new Promise<void>((resolve) => (reader.wake = resolve))
      }
      return leave()
    }
    const stop = async (): Promise<IteratorReturnResult<undefined>> => {
      this.#pass(reader)
      const result = leave()
      this.#hand()
      return result
    }
    // One at a time: each begins when the one before has its answer.
    let last: Promise<IteratorResult<DeliveredEvent, undefined> | undefined> = Promise.resolve(undefined)
    return { next: () => (last = last.then(next, next)), return: stop }
  }

  /** Who asks again is done with what it has. */
  #pass(reader: Reader): void {
    if (reader.hasEvent) reader.at++
    reader.hasEvent = false
  }

  /** Everything that has come was handed on. */
  #isEmpty(): boolean {
    return this.#next === this.#first + this.#entries.length
  }

  #isReady(): boolean {
    if (this.#end) return true
    return this.#entries.length < this.#host.maxQueueCount && !this.#entries.some(({ missed }) => missed)
  }

  #hand(): void {
    if (this.#isHanding || !(this.#hasHandlers || this.#readers.size > 0)) return
    this.#isHanding = true
    let entry: Entry | undefined
    while ((entry = this.#entries[this.#next - this.#first])) {
      if (entry.missed) {
        if (this.#lowest() < this.#next) break
        void this.#sync(entry, entry.missed)
        return this.#release()
      }
      this.#next++
      if (entry.event) this.#host.handle(entry.event)
    }
    this.#isHanding = false
    this.#release()
  }

  async #sync(entry: Entry, missed: MissedNotice): Promise<void> {
    await this.#host.sync(missed)
    entry.missed = undefined
    this.#isHanding = false
    this.#hand()
  }

  #lowest(): number {
    let lowest = this.#next
    for (const { at } of this.#readers) lowest = Math.min(lowest, at)
    return lowest
  }

  /** Forgets what everybody has, and wakes whoever waits. */
  #release(): void {
    const lowest = this.#lowest()
    const gone = this.#entries.splice(0, lowest - this.#first)
    this.#first = lowest
    const id = gone.findLast((entry) => entry.id !== undefined)?.id
    if (id !== undefined) this.#host.keep(id)
    for (const reader of this.#readers) {
      // Those who have nothing to do stay asleep, or two of them would wake each other for ever.
      if (reader.at < this.#next || (this.#end && this.#isEmpty())) reader.wake?.()
    }
    if (this.#isReady()) for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
