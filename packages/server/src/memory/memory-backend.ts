import type { Backend } from '../backend.ts'
import { MemoryBus } from './memory-bus.ts'
import { MemoryLog } from './memory-log.ts'
import { resolveMemoryOptions, type MemoryOptions } from './memory-options.ts'
import { MemoryRegistry } from './memory-registry.ts'

export type { MemoryOptions } from './memory-options.ts'
export type { ResolvedTopicRule, RetentionLimits, TopicKind, TopicRule } from './topic-rules.ts'

/**
 * Keeps everything in this process: gone when it ends, and nobody else's. What it holds is bounded by its options.
 * @throws HubError `invalid_option`
 */
export function memory(options: MemoryOptions = {}): Backend {
  const resolved = resolveMemoryOptions(options)
  return {
    log: new MemoryLog(resolved),
    bus: new MemoryBus(),
    registry: new MemoryRegistry(resolved.maxEntries, resolved.clock),
    topics: resolved.rules,
  }
}
