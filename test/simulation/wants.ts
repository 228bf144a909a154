import type { SubscribeRequest } from '@millrace/server'
import type { StoredEvent } from '@millrace/server'

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

/** What one client is owed: the oracle's view of a subscribe request. */
export interface Wants {
  readonly request: Omit<SubscribeRequest, 'lastEventId'>
  /** By selectors alone: what an eviction is judged by. */
  readonly selects: (topic: string) => boolean
  /** By selectors and types: what is owed. */
  readonly owes: (event: StoredEvent) => boolean
}

export function wantsOf(request: Omit<SubscribeRequest, 'lastEventId'>): Wants {
  const selects = topicMatcher(request.selectors)
  const types = new Set(request.types)
  return {
    request,
    selects,
    owes: (event) => selects(event.topic) && (types.size === 0 || types.has(event.type ?? 'message')),
  }
}
