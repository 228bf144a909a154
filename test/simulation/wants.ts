import type { EventContent, SubscribeRequest } from '@millrace/server'

/** The oracle's own reading of selectors: the segments of a pattern become a regular expression. */
export function topicMatcher(selectors: readonly string[] | 'all'): (topic: string) => boolean {
  if (selectors === 'all') return () => true
  const exact = new Set(selectors)
  const patterns = selectors.filter((selector) => /[*>]/.test(selector)).map(patternOf)
  const known = new Map<string, boolean>()
  return (topic) => {
    let answer = known.get(topic)
    if (answer === undefined) {
      answer = exact.has(topic) || (!topic.startsWith('@') && patterns.some((pattern) => pattern.test(topic)))
      known.set(topic, answer)
    }
    return answer
  }
}

function patternOf(selector: string): RegExp {
  const segments = selector.split('.').map((segment) => {
    if (segment === '*') return String.raw`[^.]+`
    if (segment === '>') return String.raw`[^.]+(?:\.[^.]+)*`
    return segment.replaceAll(/[^a-z0-9]/gi, String.raw`\$&`)
  })
  return new RegExp(`^${segments.join(String.raw`\.`)}$`)
}

/** Topics of this name hold values, in every run: of each key the newest is owed. */
export function isStateTopic(topic: string): boolean {
  return topic.startsWith('s.')
}

/** What one client is owed: the oracle's view of a subscribe request. */
export interface Wants {
  readonly request: Omit<SubscribeRequest, 'lastEventId'>
  /** By selectors alone. */
  readonly selectsAny: (topic: string) => boolean
  /** By selectors alone, log topics only: what an eviction is judged by. */
  readonly selects: (topic: string) => boolean
  /** By types and names alone. */
  readonly accepts: (event: EventContent) => boolean
  /** An event of a log topic that is owed. */
  readonly owes: (event: EventContent) => boolean
  /** Of an event of a log topic only the mark is owed that the topic is finished. */
  readonly owesMark: (event: EventContent) => boolean
  /** Of the last value of a state topic it is owed that the topic is finished. */
  readonly owesEnd: (event: EventContent) => boolean
}

export function wantsOf(request: Omit<SubscribeRequest, 'lastEventId'>): Wants {
  const selectsAny = topicMatcher(request.selectors)
  const selects = (topic: string): boolean => !isStateTopic(topic) && selectsAny(topic)
  const types = new Set(request.types)
  const accepts = ({ type = 'message', except }: EventContent): boolean =>
    (types.size === 0 || types.has(type)) && (except === undefined || except !== request.client)
  return {
    request,
    selectsAny,
    selects,
    accepts,
    owes: (event) => selects(event.topic) && accepts(event),
    owesMark: (event) => event.end === true && selects(event.topic) && !accepts(event),
    owesEnd: ({ end, topic }) => end === true && isStateTopic(topic) && selectsAny(topic),
  }
}
