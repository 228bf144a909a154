import type { Backend } from '../hub-options.ts'
import { MemoryLog } from './memory-log.ts'
import type { MemoryLogOptions } from './memory-log-options.ts'
import { narrowestRetention, resolveTopicRules } from './topic-rules.ts'

export type { MemoryLogOptions } from './memory-log-options.ts'
export type { RetentionLimits, TopicRule } from './topic-rules.ts'

/**
 * Keeps everything in this process: gone when it ends, and nobody else's. What it holds is bounded by its options.
 * @throws HubError `invalid_option`
 */
export function memory(options: MemoryLogOptions = {}): Backend {
  const log = new MemoryLog(options)
  return { log, narrowestRetention: narrowestRetention(resolveTopicRules(options.topics ?? [])) }
}
