import { systemChance, type Chance } from '../chance.ts'
import { systemClock, type Clock } from '../clock.ts'
import { givenOptions } from '../given-options.ts'
import { HubError } from '../hub-error.ts'
import { resolveTopicRules, type ResolvedTopicRule, type TopicRule } from './topic-rules.ts'

export interface MemoryOptions {
  /**
   * What is kept of which topics; the first rule that matches a topic is the one. Topics that none matches share a last
   * rule. @default 1 h, 100,000 events and 256 MiB over all topics
   */
  readonly topics?: readonly TopicRule[]
  /**
   * Log topics whose last event is kept whatever their retention; beyond it the one that has been quiet for longest is
   * forgotten, and snapshots that may lack it say `partial`. Topics, 1 to 10,000,000. @default 100000
   */
  readonly maxTopics?: number
  /**
   * Keys of all state topics together; beyond it an event with a new key is refused. No key is ever forgotten. Keys, 1 to
   * 10,000,000. @default 100000
   */
  readonly maxStateKeys?: number
  /**
   * For how long an event is not stored again that comes with the same `dedupeKey` from the same publisher.
   * Milliseconds, 1,000 to 86,400,000. @default 120000
   */
  readonly dedupeWindowMs?: number
  /**
   * `dedupeKey`s that are remembered at once; beyond it an event with a new one is refused. Keys, 1 to 100,000,000.
   * @default 1000000
   */
  readonly maxDedupeKeys?: number
  /** Entries of the registry; beyond it a new one is refused. 1 to 10,000,000. @default 100000 */
  readonly maxEntries?: number
  /** @default the machine's clock */
  readonly clock?: Clock
  /** @default cryptographic chance */
  readonly chance?: Chance
}

export const defaultMemoryOptions: Readonly<Required<MemoryOptions>> = Object.freeze({
  topics: Object.freeze([]),
  maxTopics: 100_000,
  maxStateKeys: 100_000,
  dedupeWindowMs: 120_000,
  maxDedupeKeys: 1_000_000,
  maxEntries: 100_000,
  clock: systemClock,
  chance: systemChance,
})

/** The options, checked and complete. */
export interface ResolvedMemoryOptions extends Required<Omit<MemoryOptions, 'topics'>> {
  readonly rules: readonly ResolvedTopicRule[]
}

/** Inclusive ranges, and what is counted. */
const RANGES = {
  maxTopics: { min: 1, max: 10_000_000, unit: 'topics' },
  maxStateKeys: { min: 1, max: 10_000_000, unit: 'keys' },
  dedupeWindowMs: { min: 1_000, max: 86_400_000, unit: 'milliseconds' },
  maxDedupeKeys: { min: 1, max: 100_000_000, unit: 'keys' },
  maxEntries: { min: 1, max: 10_000_000, unit: 'entries' },
} as const satisfies { readonly [K in keyof MemoryOptions]: { min: number; max: number; unit: string } }

/** @throws HubError `invalid_option` */
export function resolveMemoryOptions(options: MemoryOptions): ResolvedMemoryOptions {
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(defaultMemoryOptions, key)) continue
    const known = Object.keys(defaultMemoryOptions).join(', ')
    throw new HubError('invalid_option', `The memory backend has no option ${JSON.stringify(key)}: it has ${known}.`)
  }
  const { topics, ...rest } = { ...defaultMemoryOptions, ...givenOptions(options) }
  for (const [name, { min, max, unit }] of Object.entries(RANGES)) {
    const value = rest[name as keyof typeof RANGES]
    if (Number.isSafeInteger(value) && value >= min && value <= max) continue
    const mend = `give a whole number of ${unit} from ${min} to ${max}`
    throw new HubError('invalid_option', `${name} cannot be ${String(value)}: ${mend}.`)
  }
  return { ...rest, rules: resolveTopicRules(topics) }
}
