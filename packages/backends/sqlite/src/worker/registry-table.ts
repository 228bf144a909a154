import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { RegistryAnswer, RegistryAsk } from '../messages.ts'
import type { LogState } from './log-state.ts'
import type { Transactions } from './transaction.ts'

/** What has expired is swept out so much later, many at a time. Milliseconds. */
const SWEEP_DELAY_MS = 1000
/** Entries that one slice of the sweep takes out. */
const SLICE_COUNT = 512

/** The entries of the registry. They expire by the log's age. */
export class RegistryTable {
  readonly #state: LogState
  readonly #transactions: Transactions
  readonly #maxEntries: number
  readonly #select: StatementSync
  readonly #selectFrom: StatementSync
  readonly #put: StatementSync
  readonly #delete: StatementSync
  readonly #deleteExpired: StatementSync
  readonly #selectNextExpiry: StatementSync
  /** Entries, those included that have expired and were not swept out yet. */
  #count: number
  /** No entry expires before the log is as old as this. Undefined: there is none. Milliseconds. */
  #nextExpiryAgeMs: number | undefined

  constructor(database: DatabaseSync, parts: { state: LogState; transactions: Transactions; maxEntries: number }) {
    this.#state = parts.state
    this.#transactions = parts.transactions
    this.#maxEntries = parts.maxEntries
    this.#select = database.prepare('SELECT value, expires_age_ms FROM registry WHERE key = ?')
    this.#selectFrom = database.prepare('SELECT key, value, expires_age_ms FROM registry WHERE key >= ? ORDER BY key')
    this.#put = database.prepare(
      `INSERT INTO registry (key, value, expires_age_ms) VALUES (?1, ?2, ?3)
       ON CONFLICT (key) DO UPDATE SET value = ?2, expires_age_ms = ?3`,
    )
    this.#delete = database.prepare('DELETE FROM registry WHERE key = ?')
    this.#deleteExpired = database.prepare(
      `DELETE FROM registry
       WHERE id IN (SELECT id FROM registry WHERE expires_age_ms <= ? ORDER BY expires_age_ms LIMIT ?)`,
    )
    this.#selectNextExpiry = database.prepare('SELECT min(expires_age_ms) AS next FROM registry')
    this.#count = Number(database.prepare('SELECT count(*) AS count FROM registry').get()?.['count'])
    this.#findNextExpiry()
  }

  /** Does several calls in their order, as one transaction. */
  run(asks: readonly RegistryAsk[]): RegistryAnswer[] {
    const before = this.#count
    try {
      return this.#transactions.run(() => {
        const answers = asks.map((ask) => this.#answer(ask, this.#state.ageMs(ask.times)))
        const last = asks.at(-1)
        // Expiries are ages: what the file says of its age must not fall behind them.
        if (last && asks.some(({ call }) => call === 'put')) this.#state.write(this.#state.standing, last.times)
        return answers
      })
    } catch (error) {
      this.#count = before
      throw error
    }
  }

  isSweepDue(ageMs: number): boolean {
    return this.#nextExpiryAgeMs !== undefined && this.#nextExpiryAgeMs + SWEEP_DELAY_MS <= ageMs
  }

  sweepSlice(ageMs: number): void {
    const changes = this.#transactions.run(() => Number(this.#deleteExpired.run(ageMs, SLICE_COUNT).changes))
    this.#count -= changes
    this.#findNextExpiry()
  }

  #answer(ask: RegistryAsk, ageMs: number): RegistryAnswer {
    switch (ask.call) {
      case 'put':
        return this.#answerPut(ask, ageMs)
      case 'take':
      case 'get': {
        const row = this.#select.get(ask.key)
        if (!row || Number(row['expires_age_ms']) <= ageMs) return {}
        if (ask.call === 'take') {
          this.#delete.run(ask.key)
          this.#count--
        }
        return { value: String(row['value']) }
      }
      case 'list':
        return { entries: this.#entriesOf(ask.prefix, ageMs) }
    }
  }

  #answerPut({ key, value, ttlMs }: Extract<RegistryAsk, { call: 'put' }>, ageMs: number): RegistryAnswer {
    if (!this.#select.get(key)) {
      // An entry that has expired does not count.
      if (this.#count >= this.#maxEntries) this.#count -= Number(this.#deleteExpired.run(ageMs, SLICE_COUNT).changes)
      if (this.#count >= this.#maxEntries) {
        const mend = 'let some expire, or raise it'
        return { refused: `The registry has ${this.#maxEntries} entries, its maxEntries: ${mend}.` }
      }
      this.#count++
    }
    // Never longer than it was asked for.
    const expiresAgeMs = Math.floor(ageMs + ttlMs)
    this.#put.run(key, value, expiresAgeMs)
    this.#nextExpiryAgeMs = Math.min(expiresAgeMs, this.#nextExpiryAgeMs ?? expiresAgeMs)
    return {}
  }

  /** In the file keys are in the order of their bytes: those that begin alike are beside each other. */
  #entriesOf(prefix: string, ageMs: number): string[] {
    const entries: string[] = []
    for (const row of this.#selectFrom.iterate(prefix)) {
      const key = String(row['key'])
      if (!key.startsWith(prefix)) break
      if (Number(row['expires_age_ms']) > ageMs) entries.push(key, String(row['value']))
    }
    return entries
  }

  #findNextExpiry(): void {
    const next = this.#selectNextExpiry.get()?.['next']
    this.#nextExpiryAgeMs = typeof next === 'number' ? next : undefined
  }
}
