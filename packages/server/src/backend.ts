import type { Bus } from './bus.ts'
import type { EventLog } from './log.ts'
import type { ResolvedTopicRule } from './memory/topic-rules.ts'
import type { Registry } from './registry.ts'

/** Where a hub keeps its state and how its processes hear of each other. The hub closes all of it when it closes, the log last. */
export interface Backend {
  readonly log: EventLog
  readonly bus: Bus
  readonly registry: Registry
  /** The rules that the log was made with, complete: the first that matches a topic is the one, and one always does. */
  readonly topics: readonly ResolvedTopicRule[]
}
