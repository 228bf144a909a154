import type { Position, Selector } from '@millrace/protocol'
import {
  LogError,
  type AppendOptions,
  type Bounds,
  type Clock,
  type EventLog,
  type Gap,
  type LogGuarantees,
  type NewEvent,
  type Page,
  type ReadQuery,
  type Recent,
  type RecentLimits,
  type Registry,
  type Snapshot,
  type SnapshotOptions,
  type StoredEvent,
  type Tail,
  type TailListener,
} from '@millrace/server'
import {
  assertAppendOptions,
  assertEvents,
  assertPosition,
  assertQuery,
  assertRecentLimits,
  CheckSource,
  EPOCH_LENGTH,
} from '@millrace/server/log-parts'
import { AppendQueue, type AppendSink } from './append-queue.ts'
import { positionIn, toEvents, wellFormed } from './event-columns.ts'
import type { Questions, Times } from './messages.ts'
import { ReadAhead } from './read-ahead.ts'
import { readRecent } from './read-recent.ts'
import { ReadTurns } from './read-turns.ts'
import { snapshotAskOf } from './snapshot-ask.ts'
import type { ResolvedSqliteOptions } from './sqlite-options.ts'
import { SqliteRegistry } from './sqlite-registry.ts'
import { SqliteTail, type TailSource } from './sqlite-tail.ts'
import { WorkerLink } from './worker-link.ts'

/** How often the file is looked for and aged events are evicted while nobody calls. Milliseconds. */
const TICK_MS = 1000
/** Bytes that a tail reads at once. */
const TAIL_PAGE_BYTES = 1024 * 1024

/** For tests. */
export interface SqliteLogLimits {
  /** The most pages of 4096 bytes that the file may have: a full disk, where none can be had. */
  readonly maxPageCount?: number
}

/**
 * The event log in a file of SQLite, which belongs to one worker thread. Here are the ends of what crosses between the
 * threads: appends in groups, pages, and the tails, which are fed with what this thread has sent and the worker has stored.
 */
export class SqliteLog implements EventLog {
  readonly guarantees: LogGuarantees = Object.freeze({
    durable: true,
    shared: false,
    atomicBatch: true,
    exactEviction: true,
  })
  /** In the same file. */
  readonly registry: Registry
  readonly #clock: Clock
  readonly #link: WorkerLink
  readonly #appends: AppendQueue
  readonly #ahead = new ReadAhead()
  readonly #turns = new ReadTurns()
  readonly #tails = new Set<SqliteTail>()
  readonly #tailSource: TailSource
  readonly #epoch: string
  #head: Position
  #timeMs: number
  #away: LogError | undefined
  #cancelTick: (() => void) | undefined
  #closing: Promise<void> | undefined

  /** @throws SqliteError */
  constructor(path: string, options: ResolvedSqliteOptions, { maxPageCount }: SqliteLogLimits = {}) {
    const { rules, bounds, durability, bootId, clock, chance } = options
    const checks = new CheckSource(chance)
    this.#clock = clock
    this.#link = new WorkerLink(
      {
        path,
        rules,
        bounds,
        durability,
        bootId,
        times: this.#times(),
        newEpoch: chance.token(EPOCH_LENGTH),
        originCheck: checks.next(),
        maxPageCount,
      },
      { onAway: (error) => this.#interrupt(error), onBack: () => this.#resume() },
    )
    const { head, timeMs } = this.#link.opened
    this.#epoch = head.epoch
    this.#head = head
    this.#timeMs = timeMs
    this.registry = new SqliteRegistry(this.#link, clock)
    this.#appends = new AppendQueue(this.#sink(checks))
    this.#tailSource = this.#source()
    this.#planTick()
  }

  async append(events: readonly NewEvent[], options: AppendOptions = {}): Promise<readonly Position[]> {
    this.#assertOpen()
    assertEvents(events)
    assertAppendOptions(options)
    const { publisher = '' } = options
    return events.length === 0 ? [] : this.#appends.add(events, wellFormed(publisher))
  }

  async read(query: ReadQuery): Promise<Page | Gap> {
    this.#assertOpen()
    assertQuery(query)
    const { after, selectors, maxCount, maxBytes } = query
    const ask = { after, selectors, maxCount, maxBytes }
    const answer = (await this.#ahead.take(ask)) ?? (await this.#turns.run(() => this.#ask('read', ask)))
    const head = positionIn(this.#epoch, answer.head)
    if (answer.kind === 'gap') {
      return { kind: 'gap', reason: answer.reason, oldest: positionIn(this.#epoch, answer.oldest), head }
    }
    const scannedTo = positionIn(this.#epoch, answer.scannedTo)
    this.#readAhead({ ...ask, after: scannedTo }, head)
    return { kind: 'page', events: toEvents(answer.events, this.#epoch), scannedTo, head }
  }

  async snapshot(selectors: readonly Selector[] | 'all', options: SnapshotOptions = {}): Promise<Snapshot> {
    this.#assertOpen()
    const ask = snapshotAskOf(selectors, options, this.#epoch)
    const { events, partial, nextAfterSeq, ...answer } = await this.#turns.run(() => this.#ask('snapshot', ask))
    const at = positionIn(this.#epoch, answer.at)
    return {
      at,
      events: toEvents(events, this.#epoch),
      partial,
      ...(nextAfterSeq === undefined ? undefined : { next: { at, afterSeq: nextAfterSeq } }),
    }
  }

  async recent(limits: RecentLimits): Promise<Recent> {
    this.#assertOpen()
    assertRecentLimits(limits)
    return readRecent(this.#head, limits, (...range) => this.#turns.run(() => this.#scan(...range)))
  }

  async tail(after: Position | 'head', listener: TailListener): Promise<Tail> {
    this.#assertOpen()
    if (after !== 'head') {
      assertPosition(after)
      await this.#assertPlace(after)
      this.#assertOpen()
    }
    const tail = new SqliteTail(after === 'head' ? this.#head : after, this.#tailSource, listener)
    this.#tails.add(tail)
    if (this.#away) {
      const error = this.#away
      queueMicrotask(() => tail.interrupt(error))
    }
    return tail
  }

  async bounds(): Promise<Bounds> {
    this.#assertOpen()
    const { oldest, head } = await this.#link.ask('bounds', { times: this.#times() })
    return { epoch: this.#epoch, oldest: positionIn(this.#epoch, oldest), head: positionIn(this.#epoch, head) }
  }

  /** Resolves when everything that breaks a limit now is evicted: for tests, retention needs nobody's help. */
  async evictNow(): Promise<void> {
    this.#assertOpen()
    await this.#link.ask('evict', { times: this.#times() })
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #scan(after: Position, to: Position, maxCount: number): ReturnType<TailSource['scan']> {
    const answer = await this.#link.ask('scan', { after, to, maxCount, maxBytes: TAIL_PAGE_BYTES })
    return { events: toEvents(answer.events, this.#epoch), scannedTo: positionIn(this.#epoch, answer.scannedTo) }
  }

  /** Asks what has waited: the log may have been closed meanwhile. */
  #ask<K extends 'read' | 'snapshot'>(kind: K, ask: Questions[K]['ask']): Promise<Questions[K]['answer']> {
    this.#assertOpen()
    return this.#link.ask(kind, ask)
  }

  /** Only while the worker has nothing else to do, and nobody who appends or reads has to wait for it. */
  #readAhead(ask: Questions['read']['ask'] & { after: Position }, head: Position): void {
    if (this.#closing || this.#link.isBusy || ask.after.seq >= head.seq) return
    this.#ahead.note(ask, this.#link.ask('read', ask))
  }

  async #close(): Promise<void> {
    this.#cancelTick?.()
    await Promise.all([...this.#tails].map((tail) => tail.close()))
    await Promise.all([this.#appends.idle(), this.registry.close()])
    // A worker that has ended has nothing left to close.
    await this.#link.ask('close', { times: this.#times() }).catch(() => undefined)
    await this.#link.end()
  }

  async #assertPlace(position: Position): Promise<void> {
    const reason = await this.#link.ask('judge', { position })
    if (!reason) return
    const shown = `${position.epoch}-${position.seq}-${position.check}`
    throw new LogError('invalid', `A tail cannot start after ${shown} (${reason}): start it at 'head' or read first.`)
  }

  #sink(checks: CheckSource): AppendSink {
    const log = this
    return {
      get head() {
        return log.#head
      },
      drawChecks(count) {
        let text = ''
        for (let i = 0; i < count; i++) text += checks.next()
        return text
      },
      nextTimeMs: () => Math.max(log.#timeMs, Math.floor(log.#clock.time())),
      store: (group, timeMs) => log.#link.ask('append', { ...group, timeMs, times: log.#times() }),
      onStored: (events, bytes, previous) => log.#onStored(events, bytes, previous),
    }
  }

  #source(): TailSource {
    const log = this
    return {
      get head() {
        return log.#head
      },
      scan: (after, to, maxCount) => log.#scan(after, to, maxCount),
      onTailClosed: (tail) => log.#tails.delete(tail),
    }
  }

  #onStored(events: readonly StoredEvent[], bytes: number, previous: Position): void {
    const last = events.at(-1)
    if (!last) return
    this.#head = last.position
    this.#timeMs = last.timeMs
    for (const tail of this.#tails) tail.offer(events, bytes, previous)
  }

  #planTick(): void {
    this.#cancelTick = this.#clock.after(TICK_MS, () => {
      if (this.#closing) return
      this.#planTick()
      // Who has not asked for it by now has left.
      this.#ahead.clear()
      // A file that is gone, or back, is told by the worker; here are the tails whose reads have failed.
      this.#link.ask('tick', { times: this.#times() }).then(
        () => this.#resume(),
        () => undefined,
      )
    })
  }

  #interrupt(error: LogError): void {
    this.#away = error
    if (!this.#closing) for (const tail of this.#tails) tail.interrupt(error)
  }

  #resume(): void {
    this.#away = undefined
    if (!this.#closing) for (const tail of this.#tails) tail.resume()
  }

  #times(): Times {
    return { nowMs: this.#clock.now(), wallMs: this.#clock.time() }
  }

  #assertOpen(): void {
    if (this.#closing) throw new LogError('closed', 'The log was closed.')
  }
}
