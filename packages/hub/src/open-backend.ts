import { memory, type Backend, type TopicRule } from '@millrace/server'
import { sqlite, SqliteError } from '@millrace/sqlite'
import { UsageError } from './command/usage-error.ts'
import type { HubSettings } from './hub-settings.ts'

/**
 * Opens where events are kept.
 *
 * @throws UsageError when a file cannot be used as a log
 */
export function openBackend(log: HubSettings['log'], topics: readonly TopicRule[]): Backend {
  if (log === 'memory:') return memory({ topics })
  try {
    return sqlite(log.slice('sqlite:'.length), { topics })
  } catch (error) {
    if (error instanceof SqliteError) throw new UsageError(error.message, { cause: error })
    throw error
  }
}
