import type { Selector } from './topic.ts'

/** Whether everything that `wanted` names is also named by `granted`. No wildcard covers a topic that starts with `@`. */
export function coversSelector(granted: Selector, wanted: Selector): boolean {
  if (granted === wanted) return true
  if (wanted.startsWith('@') || granted.startsWith('@')) return false
  const allowed = granted.split('.')
  const asked = wanted.split('.')
  for (const [i, allow] of allowed.entries()) {
    const ask = asked[i]
    if (ask === undefined) return false
    if (allow === '>') return true
    if (ask === '>' || (allow !== '*' && allow !== ask)) return false
  }
  return allowed.length === asked.length
}
