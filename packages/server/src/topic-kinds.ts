import { matchesSelector, type Selector, type Topic } from '@millrace/protocol'
import { mayMeet } from './may-meet.ts'
import type { ResolvedTopicRule } from './memory/topic-rules.ts'

/** What an engine has to know of a rule for topics. */
export type KindRule = Pick<ResolvedTopicRule, 'match' | 'kind' | 'maxRatePerSecond'>

interface Kind {
  readonly isState: boolean
  /** The least time between two values of a key. Milliseconds; 0 for none. */
  readonly intervalMs: number
}

const LOG: Kind = Object.freeze({ isState: false, intervalMs: 0 })
/** Topics whose kind is remembered; past it all are forgotten, and looked up anew. */
const MAX_KNOWN = 10_000

/** Which topics are state topics, and how often their values are sent. */
export class TopicKinds {
  readonly hasState: boolean
  readonly #rules: readonly { readonly selector: Selector; readonly kind: Kind }[]
  readonly #known = new Map<Topic, Kind>()

  constructor(rules: readonly KindRule[]) {
    this.#rules = rules.map((rule) => ({ selector: rule.match, kind: kindOf(rule) }))
    this.hasState = this.#rules.some(({ kind }) => kind.isState)
  }

  isState(topic: Topic): boolean {
    return this.hasState && this.#kind(topic).isState
  }

  /** Whether a selector may name a state topic. In a rule `>` stands for every topic, users' own included. */
  mayBeState(selector: Selector): boolean {
    return this.#rules.some(
      ({ selector: rule, kind }) => kind.isState && ((rule as string) === '>' || mayMeet(rule, selector)),
    )
  }

  /** The least time between two values of a key of the topic. Milliseconds; 0 for none. */
  intervalMs(topic: Topic): number {
    return this.#kind(topic).intervalMs
  }

  #kind(topic: Topic): Kind {
    const known = this.#known.get(topic)
    if (known) return known
    const rule = this.#rules.find(({ selector }) => (selector as string) === '>' || matchesSelector(selector, topic))
    const kind = rule?.kind ?? LOG
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(topic, kind)
    return kind
  }
}

function kindOf({ kind, maxRatePerSecond }: KindRule): Kind {
  if (kind !== 'state') return LOG
  return { isState: true, intervalMs: maxRatePerSecond ? 1_000 / maxRatePerSecond : 0 }
}
