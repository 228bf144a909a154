import type { Position } from '@millrace/protocol'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Times } from '../messages.ts'

/** Where the log stands: the values of its one row, replaced as a whole once a transaction has written them. */
export interface Standing {
  readonly head: Position
  readonly timeMs: number
  /** The newest evicted event of all topics. */
  readonly evictedTo: Position | undefined
  /** The newest evicted event of topics that were forgotten. */
  readonly forgottenTo: Position | undefined
  readonly hasForgotten: boolean
}

/** The row of the table `log`: read once, written by each transaction that changes it. */
export class LogState {
  readonly origin: Position
  standing: Standing
  readonly #write: StatementSync
  readonly #openedAt: Times
  /** The log's age when it was opened: what it was when it was last written, and the time since. Milliseconds. */
  readonly #openedAtAgeMs: number

  constructor(database: DatabaseSync, times: Times) {
    const row = database.prepare('SELECT * FROM log').get()
    if (!row) throw new Error('the table "log" is empty')
    const epoch = String(row['epoch'])
    const position = (seq: string, check: string): Position => ({
      epoch,
      seq: Number(row[seq]),
      check: String(row[check]),
    })
    const known = (place: Position): Position | undefined => (place.seq > 0 ? place : undefined)
    this.origin = { epoch, seq: 0, check: String(row['origin_check']) }
    this.standing = {
      head: position('head_seq', 'head_check'),
      timeMs: Number(row['time_ms']),
      evictedTo: known(position('evicted_seq', 'evicted_check')),
      forgottenTo: known(position('forgotten_seq', 'forgotten_check')),
      hasForgotten: row['has_forgotten'] === 1,
    }
    this.#openedAt = times
    // A wall clock that was set back meanwhile keeps events for longer; it never makes them young again.
    this.#openedAtAgeMs = Number(row['age_ms']) + Math.max(0, times.wallMs - Number(row['wall_ms']))
    this.#write = database.prepare(`
      UPDATE log SET head_seq = ?, head_check = ?, time_ms = ?, age_ms = ?, wall_ms = ?,
        evicted_seq = ?, evicted_check = ?, forgotten_seq = ?, forgotten_check = ?, has_forgotten = ?`)
  }

  get head(): Position {
    return this.standing.head
  }

  position(seq: number, check: string): Position {
    return { epoch: this.origin.epoch, seq, check }
  }

  /**
   * How old the log is: only rises, whatever the wall clock does while it is open, and the time in which nobody had it
   * open counts. Events are as old as the log has become since. Milliseconds, with fractions.
   */
  ageMs({ nowMs }: Times): number {
    return this.#openedAtAgeMs + Math.max(0, nowMs - this.#openedAt.nowMs)
  }

  /** To be called within a transaction; `standing` is to be set when it has been committed. */
  write({ head, timeMs, evictedTo, forgottenTo, hasForgotten }: Standing, times: Times): void {
    this.#write.run(
      head.seq,
      head.check,
      timeMs,
      Math.floor(this.ageMs(times)),
      Math.floor(times.wallMs),
      evictedTo?.seq ?? 0,
      evictedTo?.check ?? '',
      forgottenTo?.seq ?? 0,
      forgottenTo?.check ?? '',
      hasForgotten ? 1 : 0,
    )
  }
}
