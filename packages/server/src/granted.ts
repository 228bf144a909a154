import { coversSelector, parseSelector, userTopic, type Selector } from '@millrace/protocol'
import type { Grant } from './grant.ts'
import { problem, type Problem } from './problem.ts'

/** Why the grant does not cover all of these; undefined when it does. */
export function grantFault(grant: Grant, wanted: readonly Selector[]): Problem | undefined {
  if (wanted.length === 0) return problem(403, 'This client may subscribe to nothing.')
  const forbidden = wanted.filter((selector) => !isGranted(grant, selector))
  if (forbidden.length === 0) return undefined
  const detail = `Not allowed to subscribe to ${forbidden.join(', ')}.`
  if (grant.user !== undefined || !forbidden.some((selector) => selector.startsWith('@'))) return problem(403, detail)
  return problem(403, `${detail} Topics with @ are for the user whose they are, and this request comes from no user.`)
}

/** A user's own topic is nobody else's to see, whatever the grant says. */
function isGranted(grant: Grant, wanted: Selector): boolean {
  if (wanted.startsWith('@')) return grant.user !== undefined && userTopic(grant.user) === wanted
  return grant.subscribe.some((granted) => coversSelector(parseSelector(granted), wanted))
}
