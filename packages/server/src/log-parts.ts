// The entry for those who build a backend of their own: what all backends of this project have in common.
export { givenOptions } from './given-options.ts'
export { CheckSource, EPOCH_LENGTH } from './memory/check-source.ts'
export { Eviction, EvictionOrder, later } from './memory/eviction-order.ts'
export {
  assertAppendOptions,
  assertEvents,
  assertPosition,
  assertQuery,
  assertRecentLimits,
  assertSnapshotOptions,
} from './memory/log-arguments.ts'
export { MemoryBus } from './memory/memory-bus.ts'
export { MemoryRegistry } from './memory/memory-registry.ts'
export { PatternSet, selectorTest } from './memory/pattern-set.ts'
export { assertEntry, assertKey, assertPrefix } from './memory/registry-arguments.ts'
export { recentEvents } from './memory/recent-events.ts'
export {
  defaultRetention,
  defaultStateRetention,
  resolveTopicRules,
  ruleIndexOf,
  type ResolvedTopicRule,
} from './memory/topic-rules.ts'
