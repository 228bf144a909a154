import type { Position } from '@millrace/protocol'
import { LogError, type NewEvent, type ReadQuery } from '../log.ts'

/** @throws LogError `invalid` */
export function assertEvents(events: readonly NewEvent[]): void {
  for (const { topic, type, data } of events) {
    if (typeof topic !== 'string' || topic === '') {
      throw new LogError('invalid', `The topic of an event cannot be ${JSON.stringify(topic)}: give a topic.`)
    }
    if (typeof data !== 'string') {
      throw new LogError('invalid', `The data of an event cannot be a ${typeof data}: give a string.`)
    }
    if (type !== undefined && typeof type !== 'string') {
      throw new LogError('invalid', `The type of an event cannot be a ${typeof type}: give a string or leave it out.`)
    }
  }
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
