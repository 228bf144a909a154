import type { Position } from '@millrace/protocol'
import type { LogError, StoredEvent, TailListener } from '@millrace/server'
import { assertSeqs } from './assert-seqs.ts'

/** A listener that keeps what it was told, and can be told to be slow. */
export class TailRecord implements TailListener {
  readonly events: StoredEvent[] = []
  /** How many events each call of `onEvents` had. */
  readonly batchCounts: number[] = []
  readonly epochs: Position[] = []
  readonly interruptions: LogError[] = []
  resumedCount = 0
  /** Calls that came while another had not settled. */
  overlapCount = 0
  #isBusy = false
  #gate: Promise<void> | undefined
  #open: (() => void) | undefined
  #watchers: (() => void)[] = []

  get seqs(): number[] {
    return this.events.map((event) => event.position.seq)
  }

  get callCount(): number {
    return this.batchCounts.length + this.epochs.length + this.interruptions.length + this.resumedCount
  }

  /** From now on `onEvents` settles only after `release`. */
  hold(): void {
    this.#gate ??= new Promise((resolve) => {
      this.#open = resolve
    })
  }

  release(): void {
    this.#open?.()
    this.#gate = undefined
    this.#open = undefined
  }

  async onEvents(events: readonly StoredEvent[]): Promise<void> {
    if (this.#isBusy) this.overlapCount++
    this.#isBusy = true
    this.events.push(...events)
    this.batchCounts.push(events.length)
    this.#notify()
    await this.#gate
    this.#isBusy = false
  }

  onEpoch(head: Position): void {
    this.epochs.push(head)
    this.#notify()
  }

  onInterrupted(error: LogError): void {
    this.interruptions.push(error)
    this.#notify()
  }

  onResumed(): void {
    this.resumedCount++
    this.#notify()
  }

  /** Resolves when the condition holds; it is looked at after each call. */
  async until(condition: (record: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#watchers.push(resolve))
  }

  /** Resolves when the event with this `seq` was handed over. */
  untilSeq(seq: number): Promise<void> {
    return this.until((record) => (record.events.at(-1)?.position.seq ?? 0) >= seq)
  }

  /** Each event once, in order, with nothing left out. */
  assertUnbroken(afterSeq: number, toSeq: number): void {
    assertSeqs(this.seqs, afterSeq + 1, toSeq, 'the events handed over')
  }

  #notify(): void {
    const watchers = this.#watchers
    this.#watchers = []
    for (const watcher of watchers) watcher()
  }
}
