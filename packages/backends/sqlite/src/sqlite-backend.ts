import type { Backend } from '@millrace/server'
import { MemoryBus } from '@millrace/server/log-parts'
import { bootId } from './boot-id.ts'
import { SqliteLog } from './sqlite-log.ts'
import { resolveSqliteOptions, type SqliteOptions } from './sqlite-options.ts'

/**
 * Keeps everything in one file, which is made where there is none. What is answered outlives the process; one process
 * uses a file at a time. Waits until the file is open.
 *
 * The file is closed with the log; calls of the registry are then refused with `closed`.
 *
 * @throws HubError `invalid_option`
 * @throws SqliteError when the file cannot be used; it is left as it was
 */
export function sqlite(path: string, options: SqliteOptions = {}): Backend {
  const resolved = resolveSqliteOptions(options)
  const log = new SqliteLog(path, { ...resolved, bootId: resolved.bootId ?? bootId() })
  // One process uses a file, so a bus within it reaches everybody.
  return { log, bus: new MemoryBus(), registry: log.registry, topics: resolved.rules }
}
