import { defaultHubLimits, type HubLimits, type TopicRule } from '@millrace/server'
import type { Durability } from '@millrace/sqlite'
import type { LogLevel } from './observe/log-lines.ts'

/** What `millrace serve` runs with. */
export interface HubSettings extends HubLimits {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** Where events are kept: in memory, or in the file after `sqlite:`. */
  readonly log: 'memory:' | `sqlite:${string}`
  /** What an answered publication outlives, in a file: the process, or the machine as well. */
  readonly durability: Durability
  /** What is kept of which topics; the first rule that matches is the one. */
  readonly topics: readonly TopicRule[]
  /** Topics whose last event is kept whatever their retention. 1 to 10,000,000. */
  readonly maxTopics: number
  /** Keys of all state topics together; an event with one more is refused. 1 to 10,000,000. */
  readonly maxStateKeys: number
  /** For how long the same `dedupeKey` publishes nothing again. Milliseconds, 1,000 to 86,400,000. */
  readonly dedupeWindowMs: number
  /** `dedupeKey`s that are remembered at once; an event with one more is refused. 1 to 100,000,000. */
  readonly maxDedupeKeys: number
  /** How much is written to standard error: this level and all that are more serious. */
  readonly logLevel: LogLevel
  /** Serve the demo at `/`. */
  readonly demo: boolean
  /** Listen beyond loopback although everybody may then read and publish everything. */
  readonly insecure: boolean
}

export const defaultHubSettings: HubSettings = Object.freeze({
  ...defaultHubLimits,
  host: '127.0.0.1',
  port: 3000,
  log: 'sqlite:./millrace.db',
  durability: 'process',
  topics: Object.freeze([]),
  maxTopics: 100_000,
  maxStateKeys: 100_000,
  dedupeWindowMs: 120_000,
  maxDedupeKeys: 1_000_000,
  logLevel: 'info',
  demo: false,
  insecure: false,
})

/** The limits among the settings. */
export function limitsOf(settings: HubSettings): HubLimits {
  const names = Object.keys(defaultHubLimits) as (keyof HubLimits)[]
  return Object.fromEntries(names.map((name) => [name, settings[name]])) as unknown as HubLimits
}
