import type { EventColumns, EventExtra } from '../messages.ts'
import type { TopicTable } from './topic-table.ts'

/** The columns of an event that a page takes up; all tables of events have them. */
export const EVENT_COLUMNS =
  'seq, topic, check_own, time_ms, size_bytes, type, is_json, data, value_key, except_client, is_end'

/** A row with these columns. */
export interface EventRow {
  readonly seq: number
  readonly topic: number
  readonly check_own: string
  readonly time_ms: number
  readonly size_bytes: number
  readonly type: string | null
  readonly is_json: number
  readonly data: string
  readonly value_key: string | null
  readonly except_client: string | null
  readonly is_end: number
}

/** Events on their way to the other thread. */
export class EventPage {
  readonly #topics: TopicTable
  readonly columns: { checks: string } & Omit<EventColumns, 'checks'> = {
    seqs: [],
    timesMs: [],
    topics: [],
    types: [],
    json: [],
    data: [],
    checks: '',
    extras: [],
  }
  bytes = 0

  constructor(topics: TopicTable) {
    this.#topics = topics
  }

  get count(): number {
    return this.columns.seqs.length
  }

  hasRoomFor({ size_bytes }: EventRow, limitBytes: number): boolean {
    return this.count === 0 || this.bytes + size_bytes <= limitBytes
  }

  add(row: EventRow): void {
    const { columns } = this
    if (row.value_key !== null || row.except_client !== null || row.is_end === 1) {
      columns.extras.push(extraOf(row, this.count))
    }
    columns.seqs.push(row.seq)
    columns.timesMs.push(row.time_ms)
    columns.topics.push(this.#topics.nameOf(row.topic))
    columns.types.push(row.type)
    columns.json.push(row.is_json === 1)
    columns.data.push(row.data)
    columns.checks += row.check_own
    this.bytes += row.size_bytes
  }
}

function extraOf({ value_key: key, except_client: except, is_end }: EventRow, at: number): EventExtra {
  return {
    at,
    ...(key === null ? undefined : { key }),
    ...(except === null ? undefined : { except }),
    ...(is_end === 1 ? { end: true as const } : undefined),
  }
}
