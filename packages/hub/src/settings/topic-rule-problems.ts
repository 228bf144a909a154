import { coversSelector, type Selector } from '@millrace/protocol'
import { HubError, type TopicRule } from '@millrace/server'
import { resolveTopicRules } from '@millrace/server/log-parts'

/**
 * Everything that the engine finds wrong with rules by topic, in its own words. It stops at the first fault of a rule, so
 * the parts of a rule that has one are shown to it one by one.
 */
export function topicRuleProblems(rules: readonly unknown[]): readonly string[] {
  const faults = rules.map(faultOf)
  /** Of a rule with a fault it is not known. */
  const matches = rules.map((rule, i) => (faults[i] === undefined ? (rule as { match: Selector }).match : undefined))
  return rules.flatMap((rule, i) => {
    const whole = faults[i]
    if (whole === undefined) return coveredFault(matches, i) ?? []
    const parts = isObject(rule) ? partsOf(rule).flatMap((part) => faultOf(part, i) ?? []) : []
    return [...new Set(parts.length > 0 ? parts : [whole])]
  })
}

/** The first rule that matches holds: one behind another that has all its topics never does. */
function coveredFault(matches: readonly (Selector | undefined)[], index: number): string | undefined {
  const match = matches[index]
  if (match === undefined) return undefined
  // As a rule `>` has the topics of users too.
  const before = matches.findIndex((each) => each !== undefined && (each === '>' || coversSelector(each, match)))
  if (before === index) return undefined
  const what = `topics[${index}].match is ${JSON.stringify(match)}; topics[${before}], which comes first, has all its topics`
  return `${what}, so that this rule never holds. Put it before the other, or leave it out.`
}

const SOUND = { match: '>' }

/** Rules that have one thing of the rule each, and are sound but for it. */
function partsOf(rule: Readonly<Record<string, unknown>>): readonly object[] {
  const { match, kind, retention, ...rest } = rule
  const base = faultOf({ ...SOUND, kind }, 0) === undefined ? { ...SOUND, kind } : SOUND
  const limits = isObject(retention) ? Object.entries(retention) : []
  return [
    { match },
    { ...SOUND, kind },
    ...limits.map(([name, value]) => ({ ...base, retention: { [name]: value } })),
    ...(limits.length === 0 ? [{ ...base, retention }] : []),
    ...Object.entries(rest).map(([name, value]) => ({ ...base, [name]: value })),
  ]
}

function faultOf(rule: unknown, index: number): string | undefined {
  const before: TopicRule[] = Array.from({ length: index }, () => SOUND)
  try {
    resolveTopicRules([...before, rule as TopicRule])
    return undefined
  } catch (error) {
    if (error instanceof HubError) return error.message
    throw error
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
