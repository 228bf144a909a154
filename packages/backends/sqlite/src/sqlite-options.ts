import { HubError, systemChance, systemClock, type Chance, type Clock, type TopicRule } from '@millrace/server'
import { resolveTopicRules, type ResolvedTopicRule } from '@millrace/server/log-parts'

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
   * Topics whose last event is kept whatever their retention; beyond it the one that has been quiet for longest is
   * forgotten, and snapshots that may lack it say `partial`. Topics, 1 to 10,000,000. @default 100000
   */
  readonly maxTopics?: number
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
  readonly maxTopics: number
  readonly durability: Durability
  readonly clock: Clock
  readonly chance: Chance
  readonly bootId: string | undefined
}

export const defaultSqliteOptions: Readonly<Required<Omit<SqliteOptions, 'bootId'>>> = Object.freeze({
  topics: Object.freeze([]),
  maxTopics: 100_000,
  durability: 'process',
  clock: systemClock,
  chance: systemChance,
})

const KEYS = [...Object.keys(defaultSqliteOptions), 'bootId']
const MAX_TOPICS = 10_000_000

/** @throws HubError `invalid_option` */
export function resolveSqliteOptions(options: SqliteOptions): ResolvedSqliteOptions {
  for (const key of Object.keys(options)) {
    if (KEYS.includes(key)) continue
    throw fault(`The SQLite log has no option ${JSON.stringify(key)}: it has ${KEYS.join(', ')}.`)
  }
  const { topics, maxTopics, durability, clock, chance } = { ...defaultSqliteOptions, ...options }
  if (!Number.isSafeInteger(maxTopics) || maxTopics < 1 || maxTopics > MAX_TOPICS) {
    throw fault(`maxTopics cannot be ${String(maxTopics)}: give a whole number of topics from 1 to ${MAX_TOPICS}.`)
  }
  if (durability !== 'process' && durability !== 'power') {
    throw fault(`durability cannot be ${JSON.stringify(durability)}: use "process" or "power".`)
  }
  const rules = resolveTopicRules(topics)
  const stateRule = rules.find(({ kind }) => kind === 'state')
  if (stateRule) throw fault(`State topics (${stateRule.match}) are not built yet in the SQLite log.`)
  return { rules, maxTopics, durability, clock, chance, bootId: options.bootId }
}

function fault(message: string): HubError {
  return new HubError('invalid_option', message)
}
