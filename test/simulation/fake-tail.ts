import type { Position } from '@millrace/protocol'
import { LogError, type StoredEvent, type Tail, type TailListener } from '@millrace/server'
import type { FakeLog } from './fake-log.ts'
import type { Random } from './random.ts'

/** A follower of the fake log: as late, as bitty and as faulty as the run wants it. */
export class FakeTail implements Tail {
  readonly start: Position
  readonly node: string
  /** The last position handed over. */
  at: Position
  /** It has left something out, so that the engine must read again what it cannot have been given. */
  hadHole = false
  readonly #log: FakeLog
  readonly #listener: TailListener
  #outstanding = false
  #interrupted = false
  #closed = false
  #fault: unknown

  constructor(log: FakeLog, node: string, start: Position, listener: TailListener) {
    this.#log = log
    this.node = node
    this.start = start
    this.at = start
    this.#listener = listener
    log.tails.add(this)
  }

  /** What the listener threw, if it did. */
  get fault(): unknown {
    return this.#fault
  }

  get interrupted(): boolean {
    return this.#interrupted
  }

  /** The engine has not settled the last promise: it holds the tail back. */
  get outstanding(): boolean {
    return this.#outstanding
  }

  get hasMore(): boolean {
    const { life } = this.#log.history
    return this.at.epoch !== life.epoch || this.at.seq < life.headSeq
  }

  get canDeliver(): boolean {
    return !this.#closed && !this.#interrupted && !this.#outstanding && this.hasMore
  }

  /** Hands over up to so many events, or the news of a new epoch. With `hole`, one of them is lost on the way. */
  deliver(maxCount: number, random: Random, hole: boolean): string {
    const { history } = this.#log
    if (this.at.epoch !== history.life.epoch) {
      this.at = history.head
      this.#listener.onEpoch(this.at)
      return `tail of ${this.node} learns of epoch ${this.at.epoch}`
    }
    const events: StoredEvent[] = []
    let last: StoredEvent | undefined
    let count = 0
    for (let seq = this.at.seq + 1; seq <= history.life.headSeq && events.length < maxCount; seq++) {
      const entry = history.life.entries.get(seq)
      if (!entry) continue
      if (last && this.#log.tailSkipsEvicted && history.entryAt(last.position)?.evicted) events.pop()
      events.push(entry.event)
      last = entry.event
      count++
    }
    if (!last) {
      this.at = history.head
      return `tail of ${this.node} finds nothing`
    }
    if (hole && events.length > 1) events.splice(random.below(events.length - 1), 1)
    if (events.length < count) this.hadHole = true
    this.at = last.position
    this.#hand(events)
    const ids = events.map((event) => event.position.seq).join(' ')
    return `tail of ${this.node} hands over ${ids}`
  }

  interrupt(): void {
    if (this.#interrupted || this.#closed) return
    this.#interrupted = true
    this.#listener.onInterrupted(new LogError('unavailable', 'the log is away'))
  }

  resume(): void {
    if (!this.#interrupted || this.#closed) return
    this.#interrupted = false
    this.#listener.onResumed()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#log.tails.delete(this)
  }

  #hand(events: readonly StoredEvent[]): void {
    this.#outstanding = true
    const settled = (): void => {
      this.#outstanding = false
    }
    try {
      Promise.resolve(this.#listener.onEvents(events)).then(settled, (error: unknown) => {
        this.#fault = error
      })
    } catch (error) {
      this.#fault = error
    }
  }
}
