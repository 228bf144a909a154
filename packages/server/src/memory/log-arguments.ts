import type { Position } from '@millrace/protocol'
import { shown } from '../shown.ts'
import {
  LogError,
  type AppendOptions,
  type NewEvent,
  type ReadQuery,
  type RecentLimits,
  type SnapshotOptions,
} from '../log.ts'

/** @throws LogError `invalid` */
export function assertEvents(events: readonly NewEvent[]): void {
  for (const { topic, type, data, json, key, except, end, dedupeKey } of events) {
    if (typeof topic !== 'string' || topic === '') {
      throw new LogError('invalid', `The topic of an event cannot be ${JSON.stringify(topic)}: give a topic.`)
    }
    if (typeof data !== 'string') {
      throw new LogError('invalid', `The data of an event cannot be a ${typeof data}: give a string.`)
    }
    assertText('type', type)
    assertText('key', key)
    assertText('except', except)
    assertText('dedupeKey', dedupeKey)
    assertFlag('json', json)
    assertFlag('end', end)
  }
}

function assertText(name: string, text: unknown): void {
  if (text === undefined || typeof text === 'string') return
  throw new LogError('invalid', `The ${name} of an event cannot be a ${typeof text}: give a string or leave it out.`)
}

function assertFlag(name: string, flag: unknown): void {
  if (flag === undefined || flag === true) return
  throw new LogError('invalid', `The field ${name} of an event cannot be ${shown(flag)}: give true or leave it out.`)
}

/** @throws LogError `invalid` */
export function assertAppendOptions({ publisher }: AppendOptions): void {
  if (publisher === undefined || typeof publisher === 'string') return
  throw new LogError('invalid', `The publisher cannot be a ${typeof publisher}: give a string or leave it out.`)
}

/** @throws LogError `invalid` */
export function assertQuery({ after, maxCount, maxBytes }: ReadQuery): void {
  if (after !== 'oldest') assertPosition(after)
  assertCount('maxCount', maxCount, 'events')
  assertCount('maxBytes', maxBytes, 'bytes')
}

/** @throws LogError `invalid` */
export function assertSnapshotOptions({ of: kind, cursor, maxCount, maxBytes }: SnapshotOptions): void {
  if (kind !== undefined && kind !== 'log' && kind !== 'state' && kind !== 'ended') {
    throw new LogError('invalid', `A snapshot cannot be of ${shown(kind)}: use 'log', 'state' or 'ended'.`)
  }
  if (cursor !== undefined) {
    assertPosition(cursor.at)
    if (!Number.isSafeInteger(cursor.afterSeq) || cursor.afterSeq < 0) {
      throw new LogError('invalid', `A cursor cannot be after ${shown(cursor.afterSeq)}: give it back as it came.`)
    }
  }
  if (maxCount !== undefined) assertCount('maxCount', maxCount, 'events')
  if (maxBytes !== undefined) assertCount('maxBytes', maxBytes, 'bytes')
}

/** @throws LogError `invalid` */
export function assertRecentLimits({ maxCount, maxBytes }: RecentLimits): void {
  assertCount('maxCount', maxCount, 'events')
  assertCount('maxBytes', maxBytes, 'bytes')
}

function assertCount(name: string, value: unknown, unit: string): void {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return
  throw new LogError('invalid', `${name} cannot be ${shown(value)}: give a whole number of ${unit} from 1 on.`)
}

/** @throws LogError `invalid` */
export function assertPosition({ seq }: Position): void {
  if (Number.isSafeInteger(seq) && seq >= 0) return
  throw new LogError('invalid', `The seq of a position cannot be ${String(seq)}: give a whole number from 0 on.`)
}
