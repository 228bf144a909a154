import type { Position, Selector } from '@millrace/protocol'
import { LogError, type EventLog, type Gap, type NewEvent, type Page, type ReadQuery } from '@millrace/server'
import type {
  Bounds,
  LogGuarantees,
  Recent,
  RecentLimits,
  Snapshot,
  SnapshotOptions,
  Tail,
  TailListener,
} from '@millrace/server'
import { FakeTail } from './fake-tail.ts'
import type { FakeLog, LogCall } from './fake-log.ts'
import type { Random } from './random.ts'

/** The log as one node has it. */
export class LogConnection implements EventLog {
  readonly guarantees: LogGuarantees
  readonly node: string
  readonly #log: FakeLog
  readonly #random: Random
  #closed = false

  constructor(log: FakeLog, node: string, random: Random) {
    this.#log = log
    this.node = node
    this.#random = random
    this.guarantees = { durable: false, shared: true, atomicBatch: true, exactEviction: log.exactEviction }
  }

  get closed(): boolean {
    return this.#closed
  }

  append(events: readonly NewEvent[]): Promise<readonly Position[]> {
    return this.#call('append', () => this.#log.store(events))
  }

  read(query: ReadQuery): Promise<Page | Gap> {
    return this.#call('read', () => this.#log.read(query, this.#random))
  }

  snapshot(selectors: readonly Selector[] | 'all', options: SnapshotOptions = {}): Promise<Snapshot> {
    return this.#call('snapshot', () => this.#log.snapshot(selectors, options, this.#random))
  }

  recent(limits: RecentLimits): Promise<Recent> {
    return this.#call('recent', () => this.#log.recent(limits, this.#random))
  }

  tail(after: Position | 'head', listener: TailListener): Promise<Tail> {
    return this.#call('tail', () => {
      const { head } = this.#log.history
      const fault = after === 'head' ? undefined : this.#log.faultOf(after)
      if (fault) throw new LogError('invalid', `a tail cannot begin here: ${fault}`)
      return new FakeTail(this.#log, this.node, after === 'head' ? head : after, listener)
    })
  }

  bounds(): Promise<Bounds> {
    return this.#call('bounds', () => {
      const { life, head } = this.#log.history
      return { epoch: life.epoch, oldest: this.#log.oldest(life), head }
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const tail of this.#log.tails) if (tail.node === this.node) await tail.close()
  }

  /** The node has died: nothing reaches it any more. */
  sever(): void {
    this.#closed = true
    for (const tail of this.#log.tails) if (tail.node === this.node) this.#log.tails.delete(tail)
    const others = this.#log.calls.filter(
      (call: LogCall) => call.node !== this.node || (call.name === 'append' && !call.effective),
    )
    this.#log.calls.splice(0, this.#log.calls.length, ...others)
  }

  #call<T>(name: string, run: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new LogError('closed', 'the log was closed'))
    return new Promise((resolve, reject) => {
      let outcome: { readonly value: T } | { readonly error: Error } = { error: new Error('answered too early') }
      const takeEffect = (): void => {
        try {
          if (this.#log.failing) throw new LogError('unavailable', 'the log is away')
          outcome = { value: run() }
        } catch (error) {
          outcome = { error: error as Error }
        }
      }
      const answer = (): void => {
        if ('value' in outcome) resolve(outcome.value)
        else reject(outcome.error)
      }
      this.#log.calls.push({ name, node: this.node, takeEffect, answer, effective: false })
    })
  }
}
