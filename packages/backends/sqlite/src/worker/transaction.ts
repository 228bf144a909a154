import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** Runs something as one transaction: whole or not at all. Prepared once, since each append is one. */
export class Transactions {
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #rollback: StatementSync

  constructor(database: DatabaseSync) {
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
    this.#rollback = database.prepare('ROLLBACK')
  }

  run<Result>(body: () => Result): Result {
    this.#begin.run()
    try {
      const result = body()
      this.#commit.run()
      return result
    } catch (error) {
      try {
        this.#rollback.run()
      } catch {
        // SQLite has rolled back by itself, as it does after some faults.
      }
      throw error
    }
  }
}
