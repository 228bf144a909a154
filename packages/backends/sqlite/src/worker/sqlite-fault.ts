/** What SQLite says went wrong, as far as it makes a difference. */
export type SqliteFault = 'busy' | 'read_only' | 'io' | 'corrupt' | 'full' | 'not_a_database' | 'other'

/** By the primary result code (https://www.sqlite.org/rescode.html), which is the lowest byte. */
const FAULTS: ReadonlyMap<number, SqliteFault> = new Map([
  [5, 'busy'],
  [6, 'busy'],
  [8, 'read_only'],
  [10, 'io'],
  [11, 'corrupt'],
  [13, 'full'],
  [26, 'not_a_database'],
])

/** Undefined for an error that is not SQLite's. */
export function sqliteFault(error: unknown): SqliteFault | undefined {
  const code: unknown = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  return typeof code === 'number' ? (FAULTS.get(code & 0xff) ?? 'other') : undefined
}
