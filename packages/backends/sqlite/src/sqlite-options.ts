import { HubError, systemChance, systemClock, type Chance, type Clock, type TopicRule } from '@millrace/server'
import { givenOptions, resolveTopicRules, type ResolvedTopicRule } from '@millrace/server/log-parts'
import type { Bounded } from './messages.ts'

/**
 * What an answered append outlives:
 * - `process`: the end of the process, however sudden. After the machine itself went down without notice, the log
 *   begins a new epoch, so that nobody goes on from an event that may be lost.
 * - `power`: that of the machine too. Each group of appends then waits for the disk.
 */
export type Durability = 'process' | 'power'

export interface SqliteOptions {
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
   * For how long an event is not stored again that comes with the same `dedupeKey` from the same publisher, also after a
   * restart. Milliseconds, 1,000 to 86,400,000. @default 120000
   */
  readonly dedupeWindowMs?: number
  /**
   * `dedupeKey`s that are remembered at once; beyond it an event with a new one is refused. Keys, 1 to 100,000,000.
   * @default 1000000
   */
  readonly maxDedupeKeys?: number
  /** Entries of the registry; beyond it a new one is refused. 1 to 10,000,000. @default 100000 */
  readonly maxEntries?: number
  /** @default 'process' */
  readonly durability?: Durability
  /** @default the machine's clock */
  readonly clock?: Clock
  /** @default cryptographic chance */
  readonly chance?: Chance
  /** Names this run of the machine: it changes when the machine starts anew. @default what Linux says; elsewhere none */
  readonly bootId?: string
}

/** The options, checked and complete. */
export interface ResolvedSqliteOptions {
  readonly rules: readonly ResolvedTopicRule[]
  readonly bounds: Bounded
  readonly durability: Durability
  readonly clock: Clock
  readonly chance: Chance
  readonly bootId: string | undefined
}

export const defaultSqliteOptions: Readonly<Required<Omit<SqliteOptions, 'bootId'>>> = Object.freeze({
  topics: Object.freeze([]),
  maxTopics: 100_000,
  maxStateKeys: 100_000,
  dedupeWindowMs: 120_000,
  maxDedupeKeys: 1_000_000,
  maxEntries: 100_000,
  durability: 'process',
  clock: systemClock,
  chance: systemChance,
})

const KEYS = [...Object.keys(defaultSqliteOptions), 'bootId']

/** Inclusive ranges, and what is counted. */
const RANGES: { readonly [K in keyof Bounded]: { readonly min: number; readonly max: number; readonly unit: string } } =
  {
    maxTopics: { min: 1, max: 10_000_000, unit: 'topics' },
    maxStateKeys: { min: 1, max: 10_000_000, unit: 'keys' },
    dedupeWindowMs: { min: 1_000, max: 86_400_000, unit: 'milliseconds' },
    maxDedupeKeys: { min: 1, max: 100_000_000, unit: 'keys' },
    maxEntries: { min: 1, max: 10_000_000, unit: 'entries' },
  }

/** @throws HubError `invalid_option` */
export function resolveSqliteOptions(options: SqliteOptions): ResolvedSqliteOptions {
  for (const key of Object.keys(options)) {
    if (KEYS.includes(key)) continue
    throw fault(`The SQLite backend has no option ${JSON.stringify(key)}: it has ${KEYS.join(', ')}.`)
  }
  const { topics, durability, clock, chance, ...bounds } = { ...defaultSqliteOptions, ...givenOptions(options) }
  for (const [name, { min, max, unit }] of Object.entries(RANGES)) {
    const value = bounds[name as keyof Bounded]
    if (Number.isSafeInteger(value) && value >= min && value <= max) continue
    throw fault(`${name} cannot be ${String(value)}: give a whole number of ${unit} from ${min} to ${max}.`)
  }
  if (durability !== 'process' && durability !== 'power') {
    throw fault(`durability cannot be ${JSON.stringify(durability)}: use "process" or "power".`)
  }
  const { maxTopics, maxStateKeys, dedupeWindowMs, maxDedupeKeys, maxEntries } = bounds
  return {
    rules: resolveTopicRules(topics),
    bounds: { maxTopics, maxStateKeys, dedupeWindowMs, maxDedupeKeys, maxEntries },
    durability,
    clock,
    chance,
    bootId: options.bootId,
  }
}

function fault(message: string): HubError {
  return new HubError('invalid_option', message)
}
