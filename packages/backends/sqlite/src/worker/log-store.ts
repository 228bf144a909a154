import type { Position, Selector, Topic } from '@millrace/protocol'
import type { LogGapReason } from '@millrace/server'
import { resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { RegistryAnswer, RegistryAsk, Questions, Times, WorkerSettings } from '../messages.ts'
import { AppendGate } from './append-gate.ts'
import { Appender } from './appender.ts'
import { DedupeTable } from './dedupe-table.ts'
import { EventReader, type Range } from './event-reader.ts'
import { FileWatch } from './file-watch.ts'
import { openingFault, openLogFile, statOf, walPathOf } from './log-file.ts'
import { LogState } from './log-state.ts'
import { RegistryTable } from './registry-table.ts'
import { Retention } from './retention.ts'
import { RuleTable } from './rule-totals.ts'
import { SnapshotReader } from './snapshot-reader.ts'
import { StateValues } from './state-values.ts'
import { TopicKinds } from './topic-kinds.ts'
import { TopicTable } from './topic-table.ts'
import { Transactions } from './transaction.ts'

type Answer<K extends keyof Questions> = Questions[K]['answer']

/** The log in its file: everything here is done at once, in the thread of the worker. */
export class LogStore {
  readonly #database: DatabaseSync
  readonly #transactions: Transactions
  readonly #state: LogState
  readonly #topics: TopicTable
  readonly #rules: RuleTable
  readonly #appender: Appender
  readonly #reader: EventReader
  readonly #snapshots: SnapshotReader
  readonly #retention: Retention
  readonly #dedupes: DedupeTable
  readonly #registry: RegistryTable
  readonly #watch: FileWatch

  /** @throws SqliteError */
  constructor(settings: WorkerSettings) {
    const hasNewest = (statOf(walPathOf(resolve(settings.path)))?.size ?? 0n) > 0n
    const database = openLogFile(settings)
    try {
      beginRun(database, settings, hasNewest)
      const { rules, bounds, times, path } = settings
      const transactions = new Transactions(database)
      const state = new LogState(database, times)
      this.#database = database
      this.#transactions = transactions
      this.#state = state
      this.#rules = new RuleTable(database, rules)
      this.#topics = this.#rules.load(database) ? new TopicTable(database, state, rules) : this.#applyRules(settings)
      const base = { transactions, state, topics: this.#topics, rules: this.#rules }
      const values = new StateValues(database, this.#topics, this.#rules)
      this.#dedupes = new DedupeTable(database, transactions, bounds.dedupeWindowMs)
      const gate = new AppendGate({ ...base, values, dedupes: this.#dedupes, bounds })
      this.#appender = new Appender(database, {
        ...base,
        values,
        dedupes: this.#dedupes,
        gate,
        maxTopics: bounds.maxTopics,
      })
      this.#retention = new Retention(database, base)
      this.#reader = new EventReader(database, state, this.#topics)
      this.#snapshots = new SnapshotReader(database, { ...base, reader: this.#reader })
      this.#registry = new RegistryTable(database, { ...base, maxEntries: bounds.maxEntries })
      this.#watch = new FileWatch(resolve(path))
    } catch (error) {
      database.close()
      throw openingFault(resolve(settings.path), error)
    }
  }

  get head(): Position {
    return this.#state.head
  }

  get timeMs(): number {
    return this.#state.standing.timeMs
  }

  append({ timeMs, times, ...group }: Questions['append']['ask']): Answer<'append'> {
    return this.#appender.append(group, timeMs, times, () => this.#watch.check())
  }

  read({ after, selectors, ...limits }: Questions['read']['ask']): Answer<'read'> {
    const { head } = this
    if (after === 'oldest') return this.#page(selectors, { after: this.#oldestFor(selectors), to: head, ...limits })
    const reason = this.judge(after) ?? (this.#hasLost(after, selectors) ? 'too_old' : undefined)
    if (!reason) return this.#page(selectors, { after, to: head, ...limits })
    return { kind: 'gap', reason, oldest: this.#oldestFor(selectors), head }
  }

  scan({ after, to, maxCount, maxBytes }: Questions['scan']['ask']): Answer<'scan'> {
    const { epoch } = this.head
    const range = { after: { ...after, epoch }, to: { ...to, epoch }, maxCount, maxBytes }
    return { kind: 'page', ...this.#reader.scan(range), head: this.head }
  }

  snapshot(ask: Questions['snapshot']['ask']): Answer<'snapshot'> {
    return this.#snapshots.read(ask)
  }

  /** Does several calls of the registry in their order. */
  registry(asks: readonly RegistryAsk[]): RegistryAnswer[] {
    this.#watch.check()
    return this.#registry.run(asks)
  }

  /** What is wrong with a position, evictions aside: judged in the order of the contract. */
  judge(position: Position): Exclude<LogGapReason, 'too_old'> | undefined {
    if (position.epoch !== this.head.epoch) return 'epoch_changed'
    if (position.seq > this.head.seq) return 'ahead'
    const known =
      [this.#state.origin, this.head].find(({ seq }) => seq === position.seq) ?? this.#reader.positionAt(position.seq)
    const check = (known ?? this.#oldestAt(position.seq))?.check
    return check !== undefined && check !== position.check ? 'epoch_changed' : undefined
  }

  bounds(): Answer<'bounds'> {
    return { oldest: this.#reader.oldest(), head: this.head }
  }

  /** @throws FileGone */
  checkFile(): void {
    this.#watch.check()
  }

  isRetentionDue(times: Times): boolean {
    return this.#retention.isDue(times) || this.#isSweepDue(times)
  }

  /** Evicts events and sweeps out what else has expired for a short time; of events, at least so many are looked at. */
  evictSlice(times: Times, minCount: number): void {
    if (this.#retention.isDue(times)) this.#retention.runSlice(times, minCount)
    const ageMs = Math.floor(this.#state.ageMs(times))
    if (this.#dedupes.isSweepDue(ageMs)) this.#dedupes.sweepSlice(ageMs)
    if (this.#registry.isSweepDue(ageMs)) this.#registry.sweepSlice(ageMs)
  }

  /** Closes the file; the next start then knows that nothing can be missing. */
  close(times: Times): void {
    try {
      this.#watch.check()
      this.#transactions.run(() => {
        this.#state.write(this.#state.standing, times)
        this.#database.exec('UPDATE run SET is_clean = 1')
      })
    } finally {
      this.#database.close()
    }
  }

  #page(selectors: readonly Selector[] | 'all', range: Range): Answer<'scan'> {
    return { kind: 'page', ...this.#reader.find(selectors, range), head: this.head }
  }

  #hasLost(after: Position, selectors: readonly Selector[] | 'all'): boolean {
    return this.#topics.newestEvicted(selectors, after) !== after
  }

  /** The first position from the oldest on that the selectors can be read on from without a loss. */
  #oldestFor(selectors: readonly Selector[] | 'all'): Position {
    return this.#topics.newestEvicted(selectors, this.#reader.oldest())
  }

  #oldestAt(seq: number): Position | undefined {
    const oldest = this.#reader.oldest()
    return oldest.seq === seq ? oldest : undefined
  }

  #isSweepDue(times: Times): boolean {
    const ageMs = Math.floor(this.#state.ageMs(times))
    return this.#dedupes.isSweepDue(ageMs) || this.#registry.isSweepDue(ageMs)
  }

  /** The rules are not those that the file was last used with: makes its topics what they say, and sums up each rule. */
  #applyRules({ rules }: WorkerSettings): TopicTable {
    const database = this.#database
    return this.#transactions.run(() => {
      new TopicKinds(database).change(rules)
      const topics = new TopicTable(database, this.#state, rules)
      const rows = database.prepare('SELECT name, event_count, event_bytes FROM topic WHERE event_count > 0').iterate()
      for (const row of rows) {
        const totals = this.#rules.totals[topics.ruleIndexOf(String(row['name']) as Topic)]
        if (!totals) continue
        totals.count += Number(row['event_count'])
        totals.bytes += Number(row['event_bytes'])
      }
      this.#rules.replace(database)
      return topics
    })
  }
}

/**
 * Notes that the log is in use, and begins a new epoch where answered appends may be missing: when the run before ended
 * without a word and the machine has been down since, or when the file of its newest events is gone.
 *
 * @param hasNewest whether the write-ahead log was there before the file was opened
 */
function beginRun(database: DatabaseSync, { bootId, durability, newEpoch }: WorkerSettings, hasNewest: boolean): void {
  // The note has to be on the disk before anything that it warns of.
  database.exec('PRAGMA synchronous = FULL')
  const run = database.prepare('SELECT is_clean, boot_id, durability FROM run').get()
  if (!run) throw new Error('the table "run" is empty')
  const isSameBoot = bootId !== undefined && run['boot_id'] === bootId
  const isLost = run['durability'] === 'process' && !isSameBoot
  new Transactions(database).run(() => {
    if (run['is_clean'] !== 1 && (isLost || !hasNewest)) {
      database.prepare('UPDATE log SET epoch = ? WHERE epoch <> ?').run(newEpoch, newEpoch)
    }
    database.prepare('UPDATE run SET is_clean = 0, boot_id = ?, durability = ?').run(bootId ?? null, durability)
  })
  // It must outlive the loss of the write-ahead log as well.
  database.exec('PRAGMA wal_checkpoint(PASSIVE)')
  if (durability === 'process') database.exec('PRAGMA synchronous = NORMAL')
}
