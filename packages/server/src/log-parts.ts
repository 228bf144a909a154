// The entry for those who build an event log of their own: what all logs of this project have in common.
export { CheckSource, EPOCH_LENGTH } from './memory/check-source.ts'
export {
  assertAppendOptions,
  assertEvents,
  assertPosition,
  assertQuery,
  assertSnapshotOptions,
} from './memory/log-arguments.ts'
export { MemoryBus } from './memory/memory-bus.ts'
export { MemoryRegistry } from './memory/memory-registry.ts'
export { defaultRetention, resolveTopicRules, ruleIndexOf, type ResolvedTopicRule } from './memory/topic-rules.ts'
