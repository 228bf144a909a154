import type { Position } from '@millrace/protocol'
import { shown } from '../shown.ts'
import { LogError, type NewEvent, type ReadQuery } from '../log.ts'

const TEXTS = ['type', 'key', 'except', 'dedupeKey'] as const

/** @throws LogError `invalid` */
export function assertEvents(events: readonly NewEvent[]): void {
  for (const event of events) {
    const { topic, data } = event
    if (typeof topic !== 'string' || topic === '') {
      throw new LogError('invalid', `The topic of an event cannot be ${JSON.stringify(topic)}: give a topic.`)
    }
    if (typeof data !== 'string') {
      throw new LogError('invalid', `The data of an event cannot be a ${typeof data}: give a string.`)
    }
    for (const name of TEXTS) {
      const text: unknown = event[name]
      if (text === undefined || typeof text === 'string') continue
      throw new LogError(
        'invalid',
        `The ${name} of an event cannot be a ${typeof text}: give a string or leave it out.`,
      )
    }
    assertFlag('json', event.json)
    assertFlag('end', event.end)
  }
}

function assertFlag(name: 'json' | 'end', flag: unknown): void {
  if (flag === undefined || flag === true) return
  throw new LogError('invalid', `The field ${name} of an event cannot be ${shown(flag)}: give true or leave it out.`)
}

/** @throws LogError `invalid` */
export function assertQuery({ after, maxCount, maxBytes }: ReadQuery): void {
  if (after !== 'oldest') assertPosition(after)
  if (!Number.isSafeInteger(maxCount) || maxCount < 1) {
    throw new LogError('invalid', `maxCount cannot be ${String(maxCount)}: give a whole number of events from 1 on.`)
  }
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
    throw new LogError('invalid', `maxBytes cannot be ${String(maxBytes)}: give a whole number of bytes from 1 on.`)
  }
}

/** @throws LogError `invalid` */
export function assertPosition({ seq }: Position): void {
  if (Number.isSafeInteger(seq) && seq >= 0) return
  throw new LogError('invalid', `The seq of a position cannot be ${String(seq)}: give a whole number from 0 on.`)
}
