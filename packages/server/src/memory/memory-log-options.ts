import { systemChance, type Chance } from '../chance.ts'
import { systemClock, type Clock } from '../clock.ts'
import { HubError } from '../hub-error.ts'
import type { TopicRule } from './topic-rules.ts'

export interface MemoryLogOptions {
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
  /** @default the machine's clock */
  readonly clock?: Clock
  /** @default cryptographic chance */
  readonly chance?: Chance
}

export const defaultMemoryLogOptions: Readonly<Required<MemoryLogOptions>> = Object.freeze({
  topics: Object.freeze([]),
  maxTopics: 100_000,
  clock: systemClock,
  chance: systemChance,
})

const MAX_TOPICS = 10_000_000

/** @throws HubError `invalid_option` */
export function resolveMemoryLogOptions(options: MemoryLogOptions): Required<MemoryLogOptions> {
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(defaultMemoryLogOptions, key)) continue
    const known = Object.keys(defaultMemoryLogOptions).join(', ')
    throw new HubError('invalid_option', `The memory log has no option ${JSON.stringify(key)}: it has ${known}.`)
  }
  const { topics, maxTopics, clock, chance } = { ...defaultMemoryLogOptions, ...options }
  if (!Number.isSafeInteger(maxTopics) || maxTopics < 1 || maxTopics > MAX_TOPICS) {
    const mend = `give a whole number of topics from 1 to ${MAX_TOPICS}`
    throw new HubError('invalid_option', `maxTopics cannot be ${String(maxTopics)}: ${mend}.`)
  }
  return { topics, maxTopics, clock, chance }
}
