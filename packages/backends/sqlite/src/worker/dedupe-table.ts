import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Place } from '../messages.ts'
import type { Transactions } from './transaction.ts'

/** What has expired is swept out so much later, many at a time. Milliseconds. */
const SWEEP_DELAY_MS = 1000
/** A slice ends after this. Milliseconds. */
const SLICE_MS = 2
/** Looked at between two looks at the time. */
const STEP_COUNT = 256

/** Which events were stored with a dedupe key, for as long as they are not to be stored again. */
export class DedupeTable {
  /** Entries, those included that have expired and were not swept out yet. */
  count: number
  readonly #windowMs: number
  readonly #transactions: Transactions
  readonly #select: StatementSync
  readonly #insert: StatementSync
  readonly #delete: StatementSync
  readonly #selectOldest: StatementSync
  readonly #selectExpired: StatementSync
  readonly #deleteTo: StatementSync
  /** How old the log was when it stored the oldest entry. Undefined: there is none, or that is not known. Milliseconds. */
  #oldestAgeMs: number | undefined

  constructor(database: DatabaseSync, transactions: Transactions, windowMs: number) {
    this.#windowMs = windowMs
    this.#transactions = transactions
    this.#select = database.prepare('SELECT seq, check_own, age_ms FROM dedupe WHERE publisher = ? AND dedupe_key = ?')
    this.#insert = database.prepare('INSERT INTO dedupe VALUES (?, ?, ?, ?, ?)')
    this.#delete = database.prepare('DELETE FROM dedupe WHERE seq = ?')
    this.#selectOldest = database.prepare('SELECT age_ms FROM dedupe ORDER BY seq LIMIT 1')
    this.#selectExpired = database.prepare(
      `SELECT max(seq) AS last_seq, count(*) AS count
       FROM (SELECT seq, age_ms FROM dedupe ORDER BY seq LIMIT ?) WHERE age_ms < ?`,
    )
    this.#deleteTo = database.prepare('DELETE FROM dedupe WHERE seq <= ?')
    this.count = Number(database.prepare('SELECT count(*) AS count FROM dedupe').get()?.['count'])
    this.#findOldest()
  }

  /** Where the event was stored, if not too long ago. To be called within a transaction: drops what has expired. */
  find(publisher: string, key: string, ageMs: number): Place | undefined {
    const row = this.#select.get(publisher, key)
    if (!row) return undefined
    const seq = Number(row['seq'])
    if (!this.#isExpired(Number(row['age_ms']), ageMs)) return { seq, check: String(row['check_own']) }
    this.#delete.run(seq)
    this.count--
    return undefined
  }

  /** To be called within a transaction, for a key that is not there. */
  add(place: Place, ageMs: number, publisher: string, key: string): void {
    this.#insert.run(place.seq, place.check, ageMs, publisher, key)
    this.count++
    this.#oldestAgeMs ??= ageMs
  }

  /** Makes room, within a transaction, by what has expired: for so many, if there are. */
  makeRoom(count: number, ageMs: number): void {
    this.#deleteExpired(count, ageMs)
  }

  isSweepDue(ageMs: number): boolean {
    return this.#oldestAgeMs !== undefined && this.#isExpired(this.#oldestAgeMs + SWEEP_DELAY_MS, ageMs)
  }

  /** Sweeps for a few milliseconds at the most. */
  sweepSlice(ageMs: number): void {
    const before = this.count
    try {
      this.#transactions.run(() => {
        const endMs = performance.now() + SLICE_MS
        while (this.#deleteExpired(STEP_COUNT, ageMs) === STEP_COUNT && performance.now() < endMs);
      })
    } catch (error) {
      this.count = before
      throw error
    }
    this.#findOldest()
  }

  #deleteExpired(maxCount: number, ageMs: number): number {
    const row = this.#selectExpired.get(maxCount, ageMs - this.#windowMs)
    const count = Number(row?.['count'])
    if (count > 0) this.#deleteTo.run(Number(row?.['last_seq']))
    this.count -= count
    return count
  }

  #isExpired(storedAtAgeMs: number, ageMs: number): boolean {
    return ageMs - storedAtAgeMs > this.#windowMs
  }

  #findOldest(): void {
    const row = this.#selectOldest.get()
    this.#oldestAgeMs = row && Number(row['age_ms'])
  }
}
