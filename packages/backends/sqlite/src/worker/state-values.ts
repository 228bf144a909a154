import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { RuleTable } from './rule-totals.ts'
import type { TopicTable } from './topic-table.ts'

const COLUMNS =
  'seq, topic, check_own, time_ms, age_ms, size_bytes, type, is_json, data, value_key, except_client, is_end'

/** A value of a state topic as it is stored, column by column. */
export type ValueRow = readonly [
  seq: number,
  topic: number,
  checkOwn: string,
  timeMs: number,
  ageMs: number,
  sizeBytes: number,
  type: string | null,
  isJson: number,
  data: string,
  key: string | null,
  exceptClient: string | null,
  isEnd: number,
]

/** A value that was replaced. */
export interface ReplacedValue {
  readonly sizeBytes: number
  readonly ageMs: number
  /** False: its rule keeps no value as old as this. */
  readonly isKept: boolean
}

/** The newest value of each key of each state topic. */
export class StateValues {
  /** Keys of all state topics. */
  count = 0
  /** Whether there are values of topics that are no state topics now. */
  readonly #hasOthers: boolean
  readonly #rules: RuleTable
  readonly #select: StatementSync
  readonly #insert: StatementSync
  readonly #supersede: StatementSync
  readonly #delete: StatementSync
  readonly #deleteOfTopic: StatementSync

  constructor(database: DatabaseSync, topics: TopicTable, rules: RuleTable) {
    this.#rules = rules
    this.#select = database.prepare(
      `SELECT seq, size_bytes, age_ms FROM state_value WHERE topic = ? AND coalesce(value_key, '') = ?`,
    )
    this.#insert = database.prepare('INSERT INTO state_value VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#supersede = database.prepare(`INSERT INTO superseded SELECT ${COLUMNS} FROM state_value WHERE seq = ?`)
    this.#delete = database.prepare('DELETE FROM state_value WHERE seq = ?')
    this.#deleteOfTopic = database.prepare('DELETE FROM state_value WHERE topic = ?')
    let others = 0
    for (const row of database.prepare('SELECT topic, count(*) AS count FROM state_value GROUP BY topic').iterate()) {
      if (topics.byId(Number(row['topic']))?.isState) this.count += Number(row['count'])
      else others++
    }
    this.#hasOthers = others > 0
  }

  has(topicId: number, key: string): boolean {
    return this.#select.get(topicId, key) !== undefined
  }

  /** To be called within a transaction. Returns the value that this one replaces. */
  put(row: ValueRow, ruleIndex: number): ReplacedValue | undefined {
    const old = this.#select.get(row[1], row[9] ?? '')
    let replaced: ReplacedValue | undefined
    if (old) {
      const seq = Number(old['seq'])
      // Those that were stored after it have been evicted already.
      const isKept = seq > (this.#rules.totals[ruleIndex]?.evictedTo ?? 0)
      if (isKept) this.#supersede.run(seq)
      this.#delete.run(seq)
      replaced = { sizeBytes: Number(old['size_bytes']), ageMs: Number(old['age_ms']), isKept }
    } else this.count++
    this.#insert.run(...row)
    return replaced
  }

  /** Forgets what a topic was that is no state topic now. */
  forgetTopic(id: number): void {
    if (this.#hasOthers) this.#deleteOfTopic.run(id)
  }
}
