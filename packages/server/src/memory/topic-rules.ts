import { matchesSelector, parseSelector, ProtocolError, type Selector, type Topic } from '@millrace/protocol'
import { HubError } from '../hub-error.ts'
import { nearestName } from '../nearest-name.ts'

/**
 * How long events are kept. An event that breaks any of the limits is evicted; `false` switches a limit off. Of state
 * topics only superseded values are evicted and counted, for nobody is owed them: they serve tails that lag.
 */
export interface RetentionLimits {
  /** Milliseconds, 1 to 100 years. @default 3600000; of state topics 60000 */
  readonly maxAgeMs: number | false
  /** Events of all topics of the rule together, 1 to 1,000,000,000. @default 100000; of state topics 10000 */
  readonly maxCount: number | false
  /**
   * UTF-8 bytes of topic, type and data, of all topics of the rule together. 1 to 1 TiB.
   * @default 268435456; of state topics 16777216
   */
  readonly maxBytes: number | false
}

/** Of log topics, and of topics that no rule matches: an hour, 100,000 events, 256 MiB. */
export const defaultRetention: RetentionLimits = Object.freeze({
  maxAgeMs: 3_600_000,
  maxCount: 100_000,
  maxBytes: 256 * 1024 * 1024,
})

/** Of state topics. */
export const defaultStateRetention: RetentionLimits = Object.freeze({
  maxAgeMs: 60_000,
  maxCount: 10_000,
  maxBytes: 16 * 1024 * 1024,
})

/**
 * What a topic holds:
 * - `log`: facts, each of which subscribers are owed, once and in order.
 * - `state`: a value that changes, of which the newest of each `key` is owed.
 */
export type TopicKind = 'log' | 'state'

/** What holds for the topics that match. The first rule in the list that matches a topic is the one. */
export interface TopicRule {
  /** A topic or a pattern. `>` stands for every topic here, users' own included, since it gives nobody access. */
  readonly match: string
  /** @default 'log' */
  readonly kind?: TopicKind
  /** A limit that is left out has its default. */
  readonly retention?: Partial<RetentionLimits>
  /**
   * How often a stream is sent a new value of one key of a state topic; of those in between it gets the newest. Values
   * per second, 1 to 1,000, or false for all. Not for log topics, whose events are all owed. @default false
   */
  readonly maxRatePerSecond?: number | false
}

/** A rule, checked and complete. */
export interface ResolvedTopicRule {
  readonly match: Selector
  readonly kind: TopicKind
  readonly retention: RetentionLimits
  readonly maxRatePerSecond: number | false
}

const CATCH_ALL = parseSelector('>')
const MAX_RATE_PER_SECOND = 1_000
const RULE_KEYS = new Set(['match', 'kind', 'retention', 'maxRatePerSecond'])
/** Of rules to come, and not built: refused rather than ignored. */
const LATER_KEYS = new Set(['public', 'presence'])

/** Inclusive ranges of the limits, and their units. */
const RANGES = {
  maxAgeMs: { max: 100 * 365 * 86_400_000, unit: 'milliseconds' },
  maxCount: { max: 1_000_000_000, unit: 'events' },
  maxBytes: { max: 2 ** 40, unit: 'bytes' },
} as const satisfies Record<keyof RetentionLimits, { max: number; unit: string }>

const LIMITS = Object.keys(RANGES)

/**
 * Checks the rules and completes them; topics that none of them matches get a last rule with the default retention.
 * @throws HubError `invalid_option`
 */
export function resolveTopicRules(rules: readonly TopicRule[]): readonly ResolvedTopicRule[] {
  if (!Array.isArray(rules)) throw fault('topics', rules, 'give a list of rules such as { "match": "chat.>" }')
  const resolved = rules.map((rule, i) => resolveRule(rule, `topics[${i}]`))
  if (resolved.some((rule) => rule.match === CATCH_ALL)) return resolved
  return [...resolved, { match: CATCH_ALL, kind: 'log', retention: defaultRetention, maxRatePerSecond: false }]
}

/** Of each limit the narrowest that any of the rules for log topics has. */
export function narrowestRetention(rules: readonly ResolvedTopicRule[]): RetentionLimits {
  const narrowest = (limit: keyof RetentionLimits): number | false => {
    const set = rules.filter(({ kind }) => kind === 'log').map(({ retention }) => retention[limit])
    const limits = set.filter((value) => value !== false)
    return limits.length > 0 && Math.min(...limits)
  }
  return { maxAgeMs: narrowest('maxAgeMs'), maxCount: narrowest('maxCount'), maxBytes: narrowest('maxBytes') }
}

/** The index of the first rule that matches the topic. */
export function ruleIndexOf(rules: readonly ResolvedTopicRule[], topic: Topic): number {
  return rules.findIndex((rule) => rule.match === CATCH_ALL || matchesSelector(rule.match, topic))
}

function resolveRule(rule: TopicRule, path: string): ResolvedTopicRule {
  if (!isObject(rule)) throw fault(path, rule, 'give an object with "match"')
  for (const [key, value] of Object.entries(rule)) {
    if (LATER_KEYS.has(key)) throw fault(`${path}.${key}`, value, 'this is not built yet: leave it out')
    if (!RULE_KEYS.has(key))
      throw fault(`${path}.${key}`, value, `${meant(key, RULE_KEYS)}known keys are ${list(RULE_KEYS)}`)
  }
  const match = resolveMatch(rule.match, `${path}.match`)
  const kind = rule.kind ?? 'log'
  if (kind !== 'log' && kind !== 'state') throw fault(`${path}.kind`, kind, 'use "log" or "state"')
  const maxRatePerSecond = resolveRate(rule.maxRatePerSecond, kind, `${path}.maxRatePerSecond`)
  return { match, kind, retention: resolveRetention(rule.retention, kind, path), maxRatePerSecond }
}

function resolveRate(rate: number | false | undefined, kind: TopicKind, path: string): number | false {
  if (rate === undefined) return false
  if (kind === 'log') {
    throw fault(path, rate, 'every event of a log topic is owed: leave it out, or make the rule "kind": "state"')
  }
  if (rate === false || isInRange(rate, MAX_RATE_PER_SECOND)) return rate
  throw fault(path, rate, `give a whole number of values from 1 to ${MAX_RATE_PER_SECOND}, or false for all of them`)
}

function resolveMatch(match: string, path: string): Selector {
  if (typeof match !== 'string') throw fault(path, match, 'give a topic or a pattern such as "chat.>"')
  try {
    return parseSelector(match)
  } catch (error) {
    if (error instanceof ProtocolError)
      throw new HubError('invalid_option', `${path}: ${error.message}`, { cause: error })
    throw error
  }
}

function resolveRetention(
  retention: Partial<RetentionLimits> | undefined,
  kind: TopicKind,
  path: string,
): RetentionLimits {
  const defaults = kind === 'state' ? defaultStateRetention : defaultRetention
  if (retention === undefined) return defaults
  const at = `${path}.retention`
  if (!isObject(retention)) throw fault(at, retention, 'give an object of limits')
  for (const [key, value] of Object.entries(retention)) {
    if (!isLimit(key)) throw fault(`${at}.${key}`, value, `${meant(key, LIMITS)}known limits are ${list(LIMITS)}`)
    const { max, unit } = RANGES[key]
    if (value === false || isInRange(value, max)) continue
    throw fault(`${at}.${key}`, value, `give a whole number of ${unit} from 1 to ${max}, or false for no limit`)
  }
  return {
    maxAgeMs: retention.maxAgeMs ?? defaults.maxAgeMs,
    maxCount: retention.maxCount ?? defaults.maxCount,
    maxBytes: retention.maxBytes ?? defaults.maxBytes,
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

function isInRange(value: number | undefined, max: number): boolean {
  return value === undefined || (Number.isSafeInteger(value) && value >= 1 && value <= max)
}

function isLimit(key: string): key is keyof RetentionLimits {
  return Object.hasOwn(RANGES, key)
}

/** What was probably meant by a name that is not known. */
function meant(name: string, known: Iterable<string>): string {
  const near = nearestName(name, [...known])
  return near === undefined ? '' : `did you mean ${near}? `
}

function list(names: Iterable<string>): string {
  return [...names].join(', ')
}

function fault(path: string, value: unknown, mend: string): HubError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return new HubError('invalid_option', `${path} cannot be ${shown}: ${mend}.`)
}
