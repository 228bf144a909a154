import { SqliteLog, type SqliteLogLimits } from '../../src/sqlite-log.ts'
import { resolveSqliteOptions, type SqliteOptions } from '../../src/sqlite-options.ts'

/** A log that a test can also tell to evict, and that believes to be on a machine that never went down. */
export function openLog(path: string, options: SqliteOptions = {}, limits: SqliteLogLimits = {}): SqliteLog {
  return new SqliteLog(path, resolveSqliteOptions({ bootId: 'boot-1', ...options }), limits)
}
