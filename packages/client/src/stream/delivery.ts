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
  id: string | undefined
}

interface Reader {
  /** The entry that it has in hand, or wants next. */
  at: number
  isOver: boolean
  /** Has been called already, when it does not sleep. */
  wake?: () => void
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
  /** After the end: somebody is there for what waits. Called again and again. */
  attend(): void
  /** After the end: nothing waits any more, or nobody is there for it. Called again and again. */
  rest(): void
}

/**
 * Hands what a feed brings to handlers and to readers, in order.
 *
 * Handlers are called as soon as an event is there; each reader goes at its own pace, and what the slowest has not taken
 * waits. Nothing is dropped: when too much waits, `ready` does too, and the feed stops reading. Before anybody has asked
 * for events they wait for whoever comes first. A notice of missed events is a gate: it opens when all before it was
 * taken and the state was fetched anew.
 */
export interface Delivery {
  receivedId(): string
  queuedCount(): number
  push(entry: Entry): void
  ready(): Promise<void> | undefined
  /** Handlers are there: in a moment, so that those that are added together see the same. */
  start(): void
  /** Nothing more comes: readers end when they have all that was handed on, by the error if there is one. */
  finish(error?: Error): void
  /** Ends at once, whatever waits. */
  close(): void
  /** Events for one reader, from the first that nobody has been handed. */
  read(): AsyncIterator<DeliveredEvent, undefined>
}

export function makeDelivery(
  { maxQueueCount, handle, sync, keep, attend, rest }: DeliveryHost,
  startId: string,
): Delivery {
  let entries: Entry[] = []
  /** The index of the first entry; entries are counted from the start of the stream. */
  let first = 0
  /** The next entry for the handlers; readers come after them. */
  let next = 0
  const readers = new Set<Reader>()
  let hasHandlers = false
  let isHanding = false
  /** Gates that have not opened yet. */
  let gateCount = 0
  let receivedId = startId
  const waiting: (() => void)[] = []
  let end: { readonly error?: Error | undefined } | undefined

  function isReady(): boolean {
    return end !== undefined || (entries.length < maxQueueCount && gateCount === 0)
  }

  /** Nothing more comes, and everything was handed on. */
  function isDone(): boolean {
    return end !== undefined && next === first + entries.length
  }

  function isAttended(): boolean {
    return hasHandlers || readers.size > 0
  }

  function lowest(): number {
    let at = next
    for (const reader of readers) at = Math.min(at, reader.at)
    return at
  }

  function hand(): void {
    // What is in hand is not done with: whoever hands on releases it.
    if (isHanding) return
    if (!isAttended()) return release()
    if (end) attend()
    isHanding = true
    let entry: Entry | undefined
    while ((entry = entries[next - first])) {
      if (entry.missed) {
        if (lowest() < next) break
        // First: whoever hears of it may close, and what is before it was handed on.
        release()
        return void passGate(entry, entry.missed)
      }
      next++
      if (entry.event) handle(entry.event)
    }
    isHanding = false
    release()
  }

  async function passGate(entry: Entry, missed: MissedNotice): Promise<void> {
    await sync(missed)
    entry.missed = undefined
    gateCount--
    isHanding = false
    hand()
  }

  /** Forgets what everybody has, and wakes whoever waits. */
  function release(): void {
    const at = lowest()
    if (at > first) {
      const id = entries.splice(0, at - first).findLast((entry) => entry.id !== undefined)?.id
      first = at
      if (id !== undefined) keep(id)
    }
    for (const reader of readers) {
      // Those who have nothing to do stay asleep, or two of them would wake each other for ever.
      if (reader.at < next || isDone()) reader.wake?.()
    }
    if (isReady()) for (const resolve of waiting.splice(0)) resolve()
    if (end && !(entries[0] && isAttended())) rest()
  }

  function read(): AsyncIterator<DeliveredEvent, undefined> {
    const reader: Reader = { at: -1, isOver: false }
    let hasEvent = false
    /** Who asks again is done with what it has. */
    const pass = (): void => {
      if (hasEvent) reader.at++
      hasEvent = false
    }
    const leave = (): IteratorReturnResult<undefined> => {
      reader.isOver = true
      if (readers.delete(reader) && !hasHandlers && readers.size === 0) next = reader.at
      reader.wake?.()
      return { done: true, value: undefined }
    }
    const take = async (): Promise<IteratorResult<DeliveredEvent, undefined>> => {
      if (reader.at < 0) reader.at = next
      if (!reader.isOver) readers.add(reader)
      pass()
      while (!reader.isOver) {
        hand()
        if (reader.at < next) {
          const value = entries[reader.at - first]?.event
          if (value && !value.type.startsWith('stream:')) {
            hasEvent = true
            return { done: false, value }
          }
          reader.at++
        } else if (isDone()) {
          leave()
          if (end?.error) throw end.error
        } else await new Promise<void>((resolve) => (reader.wake = resolve))
      }
      return leave()
    }
    // One at a time: each begins when the one before has its answer.
    let last: Promise<IteratorResult<DeliveredEvent, undefined> | undefined> = Promise.resolve(undefined)
    return {
      next: () => (last = last.then(take, take)),
      async return() {
        pass()
        const result = leave()
        hand()
        return result
      },
    }
  }

  return {
    receivedId: () => receivedId,
    queuedCount: () => entries.length,
    push(entry) {
      // Whoever was told of it has closed.
      if (end) return
      const last = entries.at(-1)
      // An id alone is done with when what is before it is.
      if (last && !entry.event && !entry.missed) last.id = entry.id
      else entries.push(entry)
      if (entry.missed) gateCount++
      receivedId = entry.id ?? receivedId
      hand()
    },
    ready: () => (isReady() ? undefined : new Promise((resolve) => waiting.push(resolve))),
    start: () =>
      queueMicrotask(() => {
        hasHandlers = true
        hand()
      }),
    finish(error) {
      end ??= { error }
      release()
    },
    close() {
      // What is in hand is not done with; what was handed on before it is.
      if (isHanding) next--
      release()
      entries = []
      next = first
      for (const reader of readers) reader.at = first
      end = {}
      release()
    },
    read,
  }
}
