import type { Topic } from '@millrace/protocol'
import { ruleIndexOf, type ResolvedTopicRule } from '@millrace/server/log-parts'
import type { DatabaseSync, StatementSync } from 'node:sqlite'

const VALUE_COLUMNS =
  'seq, topic, check_own, time_ms, age_ms, size_bytes, type, is_json, data, value_key, except_client, is_end'

interface TopicRow {
  readonly id: number
  readonly name: string
  readonly last_seq: number
  readonly evicted_seq: number
  readonly is_state: number
}

/**
 * Makes topics what the rules say they are, where the rules are not those that the file was last used with. To be run
 * within a transaction, before anything is read of the topics.
 *
 * - A log topic that becomes a state topic: the newest kept event of each key is its value; its other events go.
 * - A state topic that becomes a log topic: it has its newest value as its last event, and counts as evicted up to there.
 *   Its values are put aside. When it becomes a state topic again they are its values still, save those that were replaced
 *   meanwhile; all of them go if something of it was evicted meanwhile, for nobody knows then which of them are the newest.
 */
export class TopicKinds {
  readonly #database: DatabaseSync
  readonly #selectEvent: StatementSync
  readonly #selectSeqOfKey: StatementSync
  readonly #deleteEvent: StatementSync
  readonly #insertValue: StatementSync
  readonly #insertLastAsValue: StatementSync
  readonly #deleteValues: StatementSync

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#selectEvent = database.prepare(
      `SELECT previous_seq, coalesce(value_key, '') AS state_key FROM event WHERE seq = ?`,
    )
    this.#selectSeqOfKey = database.prepare(
      `SELECT seq FROM state_value WHERE topic = ? AND coalesce(value_key, '') = ?`,
    )
    this.#deleteEvent = database.prepare('DELETE FROM event WHERE seq = ?')
    this.#insertValue = database.prepare(
      `INSERT OR REPLACE INTO state_value SELECT ${VALUE_COLUMNS} FROM event WHERE seq = ?`,
    )
    this.#insertLastAsValue = database.prepare(
      `INSERT OR REPLACE INTO state_value
       SELECT seq, topic, check_own, time_ms, 0, octet_length(data), type, is_json, data, value_key, except_client, is_end
       FROM last_event WHERE topic = ?`,
    )
    this.#deleteValues = database.prepare('DELETE FROM state_value WHERE topic = ?')
  }

  change(rules: readonly ResolvedTopicRule[]): void {
    const rows = this.#database
      .prepare('SELECT id, name, last_seq, evicted_seq, is_state FROM topic ORDER BY id')
      .all() as unknown as TopicRow[]
    for (const row of rows) {
      const isState = rules[ruleIndexOf(rules, row.name as Topic)]?.kind === 'state'
      if (isState && row.is_state === 0) this.#becomeState(row)
      if (!isState && row.is_state === 1) this.#becomeLog(row)
    }
  }

  #becomeState({ id, last_seq: lastSeq, evicted_seq: evictedSeq }: TopicRow): void {
    // What was put aside was its newest when it became a log topic, and counts as evicted since then.
    const newest = this.#database.prepare('SELECT max(seq) AS seq FROM state_value WHERE topic = ?').get(id)?.['seq']
    if (newest !== null && newest !== evictedSeq) this.#deleteValues.run(id)
    this.#insertLastAsValue.run(id)
    // Newest first: what comes after it with the same key is older.
    for (let seq = lastSeq; seq > 0;) {
      const row = this.#selectEvent.get(seq)
      // The rest of the chain is evicted.
      if (!row) break
      const known = this.#selectSeqOfKey.get(id, String(row['state_key']))
      if (!known || Number(known['seq']) < seq) this.#insertValue.run(seq)
      this.#deleteEvent.run(seq)
      seq = Number(row['previous_seq'])
    }
    this.#database.prepare('DELETE FROM last_event WHERE topic = ?').run(id)
    this.#database
      .prepare('UPDATE topic SET is_known = 1, is_state = 1, event_count = 0, event_bytes = 0 WHERE id = ?')
      .run(id)
  }

  #becomeLog({ id, last_seq: lastSeq }: TopicRow): void {
    this.#database
      .prepare(
        `INSERT OR REPLACE INTO last_event
         SELECT topic, seq, check_own, time_ms, type, is_json, data, value_key, except_client, is_end
         FROM state_value WHERE seq = ?`,
      )
      .run(lastSeq)
    this.#database.prepare('DELETE FROM superseded WHERE topic = ?').run(id)
    this.#database
      .prepare(
        `UPDATE topic SET is_state = 0, event_count = 0, event_bytes = 0, evicted_seq = last_seq,
           evicted_check = (SELECT check_own FROM state_value WHERE seq = last_seq)
         WHERE id = ?`,
      )
      .run(id)
  }
}
