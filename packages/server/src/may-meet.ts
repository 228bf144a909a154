import type { Selector } from '@millrace/protocol'

/** Whether there may be a topic that both name. */
export function mayMeet(one: Selector, other: Selector): boolean {
  if (one.startsWith('@') || other.startsWith('@')) return one === other
  const [segments, others] = [one.split('.'), other.split('.')]
  for (let i = 0; i < Math.max(segments.length, others.length); i++) {
    const [a, b] = [segments[i], others[i]]
    if (a === undefined || b === undefined) return false
    if (a === '>' || b === '>') return true
    if (a !== b && a !== '*' && b !== '*') return false
  }
  return true
}
