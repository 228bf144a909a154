import { parseEventId, type Position } from '@millrace/protocol'
import { expect } from 'vitest'
import { isControl, isPublished, json, openStream, type Block, type StreamReader } from './stream-reader.ts'
import type { TestHubOptions } from './test-hub.ts'

export const CONNECTED = isControl('stream:connected')
export const CAUGHT_UP = isControl('stream:caught-up')
export const SYNC_REQUIRED = isControl('stream:sync-required')
export const POSITION = isControl('stream:position')

/** `busy` keeps 10 events, everything else 1,000; the hot window is much smaller than either. */
export const SMALL: TestHubOptions = {
  hotWindowCount: 5,
  memory: {
    topics: [
      { match: 'busy.>', retention: { maxCount: 10 } },
      { match: '>', retention: { maxCount: 1_000 } },
    ],
  },
}

export function resume(url: string, id: string | undefined): Promise<StreamReader> {
  if (id === undefined) throw new Error('There is no id to resume from')
  return openStream(url, { headers: { 'Last-Event-ID': id } })
}

/** The numbers that are replayed up to `stream:caught-up`; fails when a gap is told on the way. */
export async function replay(stream: StreamReader): Promise<(number | undefined)[]> {
  const blocks = await stream.until(CAUGHT_UP)
  expect(blocks.filter(SYNC_REQUIRED)).toEqual([])
  const counts = blocks.filter(isPublished).map(count)
  expect(json(blocks.at(-1))).toEqual({ replayed: counts.length })
  return counts
}

/** The gap that a stream tells, before it said anything else and before any other id. */
export async function firstNotice(stream: StreamReader): Promise<Block> {
  const blocks = await stream.until(SYNC_REQUIRED)
  expect(blocks.filter(isPublished)).toEqual([])
  expect(blocks.slice(0, -1).filter(({ id }) => id !== undefined)).toEqual([])
  const notice = blocks.at(-1)
  if (!notice) throw new Error('No notice')
  return notice
}

export function count(block: Block | undefined): number | undefined {
  return (json(block) as { n?: number } | undefined)?.n
}

export function position(id: string | undefined): Position {
  const parsed = id === undefined ? undefined : parseEventId(id)
  if (!parsed) throw new Error(`${id} is not an event id`)
  return parsed
}

export function otherCheck({ epoch, seq, check: given }: Position): Position {
  return { epoch, seq, check: given === 'aaa' ? 'bbb' : 'aaa' }
}
