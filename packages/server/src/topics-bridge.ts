import type { Position, Topic } from '@millrace/protocol'
import type { Audience } from './audience.ts'
import { mayMeet } from './may-meet.ts'
import type { SnapshotCursor } from './log.ts'

/**
 * A stream whose topics were changed is given the last events of the new ones as of some place ahead of it. Until it is
 * there it goes on with what the old and the new topics have in common.
 */
export interface Bridge {
  /** Of the old audience what meets the new one. */
  readonly before: Audience
  readonly until: Position
}

/** The last events of topics that are new to a stream, being read. */
export interface Addition {
  readonly before: Audience
  /** Wants what is new, and maybe some of what was there. */
  readonly added: Audience
  readonly cursor: SnapshotCursor | undefined
  isNew(topic: Topic): boolean
}

/** Undefined: no selector is new. */
export function additionTo(before: Audience, audience: Audience): Addition | undefined {
  const selectors = audience.selectors.filter((selector) => !before.selectors.includes(selector))
  if (selectors.length === 0) return undefined
  const isNew = (topic: Topic): boolean => audience.matchesTopic(topic) && !before.matchesTopic(topic)
  return { before, added: audience.narrowedTo(selectors), cursor: undefined, isNew }
}

/** Undefined: the old and the new topics have nothing in common. */
export function bridgeFrom(before: Audience, audience: Audience, until: Position): Bridge | undefined {
  const common = before.selectors.filter((one) => audience.selectors.some((other) => mayMeet(one, other)))
  return common.length === 0 ? undefined : { before: before.narrowedTo(common), until }
}
