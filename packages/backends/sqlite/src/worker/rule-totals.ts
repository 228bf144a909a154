import type { ResolvedTopicRule } from '@millrace/server/log-parts'
import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** What is kept under one rule. */
export interface RuleTotals {
  readonly rule: ResolvedTopicRule
  count: number
  bytes: number
  /** No event of the rule up to here is kept: where the search for its oldest begins. */
  evictedTo: number
  /** How old the log was when it stored the oldest event kept. Undefined: not looked for, or there is none. Milliseconds. */
  oldestAgeMs: number | undefined
}

/** The sums of each rule, kept in the file so that a start need not count the events. */
export class RuleTable {
  readonly totals: readonly RuleTotals[]
  readonly #write: StatementSync

  constructor(database: DatabaseSync, rules: readonly ResolvedTopicRule[]) {
    this.totals = rules.map((rule) => ({ rule, count: 0, bytes: 0, evictedTo: 0, oldestAgeMs: undefined }))
    this.#write = database.prepare(
      'UPDATE rule SET event_count = ?, event_bytes = ?, evicted_to = ? WHERE position = ?',
    )
  }

  /** Takes the sums from the file. False when they are those of other rules, by which topics may be of another kind. */
  load(database: DatabaseSync): boolean {
    const rows = database
      .prepare('SELECT match, kind, event_count, event_bytes, evicted_to FROM rule ORDER BY position')
      .all()
    const isSame =
      rows.length === this.totals.length &&
      rows.every((row, i) => {
        const rule = this.totals[i]?.rule
        return row['match'] === rule?.match && row['kind'] === rule?.kind
      })
    if (!isSame) return false
    for (const [i, totals] of this.totals.entries()) {
      totals.count = Number(rows[i]?.['event_count'])
      totals.bytes = Number(rows[i]?.['event_bytes'])
      totals.evictedTo = Number(rows[i]?.['evicted_to'])
    }
    return true
  }

  /** Puts rules whose sums were counted anew into the file. */
  replace(database: DatabaseSync): void {
    database.exec('DELETE FROM rule')
    const insert = database.prepare(
      'INSERT INTO rule (position, match, kind, event_count, event_bytes, evicted_to) VALUES (?, ?, ?, ?, ?, ?)',
    )
    for (const [i, { rule, count, bytes, evictedTo }] of this.totals.entries()) {
      insert.run(i, rule.match, rule.kind, count, bytes, evictedTo)
    }
  }

  /** To be called within a transaction. */
  write(index: number, { count, bytes, evictedTo }: Pick<RuleTotals, 'count' | 'bytes' | 'evictedTo'>): void {
    this.#write.run(count, bytes, evictedTo, index)
  }
}
