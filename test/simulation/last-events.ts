import type { Position } from '@millrace/protocol'
import { contentFault } from './event-content.ts'
import type { Entry, History, Life } from './history.ts'
import type { Block } from './reference-parser.ts'
import { must } from './violation.ts'
import type { Wants } from './wants.ts'

/** The last event of a topic up to a place, kept or not. */
export function lastEventOf(life: Life, topic: string, untilSeq: number): Entry | undefined {
  for (let seq = untilSeq; seq > 0; seq--) {
    const entry = life.entries.get(seq)
    if (entry?.event.topic === topic) return entry
  }
  return undefined
}

/**
 * §6: the last event of each topic up to a place was given, unless a newer one takes its place. What was shown may be of
 * an epoch that is over: its successor then comes by the tail.
 */
export function checkLastEvents(
  { lives, life: present }: History,
  { epoch, seq: untilSeq }: Position,
  seen: ReadonlyMap<string, Block>,
  { request, selects, owes, owesMark }: Wants,
  isOwed: (topic: string) => boolean,
): void {
  const life = lives.find((each) => each.epoch === epoch) ?? present
  for (const topic of new Set([...life.entries.values()].map(({ event }) => event.topic))) {
    const last = selects(topic) && isOwed(topic) ? lastEventOf(life, topic, untilSeq) : undefined
    if (!last || !(owes(last.event) || owesMark(last.event))) continue
    const block = seen.get(topic)
    const isMark = block?.type === 'stream:end'
    const isSame = block !== undefined && !contentFault(block, block.id ?? null, last.event, request)
    const isReplaced = [life, present].some((later) => !isLastIn(later, last))
    must(
      (owes(last.event) ? isSame : isMark) || isReplaced,
      '§6',
      () => `the last event of ${topic} up to ${untilSeq} was not given`,
    )
  }
}

/** Whether nothing has taken the place of an event, or of what a new life has kept of it. */
function isLastIn(life: Life, { event }: Entry): boolean {
  const last = lastEventOf(life, event.topic, life.headSeq)?.event
  return last?.position.seq === event.position.seq && last.data === event.data
}
