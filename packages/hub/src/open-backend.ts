import { HubError, memory, type Backend } from '@millrace/server'
import { sqlite, SqliteError } from '@millrace/sqlite'
import { UsageError } from './command/usage-error.ts'
import type { HubSettings } from './hub-settings.ts'

/**
 * Opens where events are kept.
 *
 * @throws UsageError when a file cannot be used as a log, or a rule by topic is wrong
 */
export function openBackend(settings: HubSettings): Backend {
  const { log, durability, topics, maxTopics, maxStateKeys, dedupeWindowMs, maxDedupeKeys } = settings
  const options = { topics, maxTopics, maxStateKeys, dedupeWindowMs, maxDedupeKeys }
  try {
    if (log === 'memory:') return memory(options)
    return sqlite(log.slice('sqlite:'.length), { ...options, durability })
  } catch (error) {
    if (error instanceof SqliteError || (error instanceof HubError && error.code === 'invalid_option'))
      throw new UsageError(error.message, { cause: error })
    throw error
  }
}
