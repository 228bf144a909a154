import { parseTopic } from '@millrace/protocol'
import { expect, test } from 'vitest'
import { Frame } from '../src/frame.ts'
import type { SnapshotPage } from '../src/log-reader.ts'
import { Standing, type StandingHost } from '../src/standing.ts'
import { resolveTopicRules } from '../src/memory/topic-rules.ts'
import { TopicKinds } from '../src/topic-kinds.ts'

const EPOCH = 'abc123'

function positionAt(seq: number): { epoch: string; seq: number; check: string } {
  return { epoch: EPOCH, seq, check: 'aaa' }
}

/** A log of so many pages of values, each with one, which answers when it is told to. */
function slowLog(pageCount: number): { host: StandingHost; readonly asked: number; answer(): Promise<void> } {
  const waiting: (() => void)[] = []
  const at = positionAt(pageCount)
  const pageAfter = (seq: number): SnapshotPage => {
    const event = {
      topic: parseTopic('state.a'),
      key: String(seq),
      data: '1',
      position: positionAt(seq + 1),
      timeMs: 0,
    }
    const next = seq + 1 < pageCount ? { at, afterSeq: seq + 1 } : undefined
    return { frames: [new Frame(event, 0, true)], at, next, partial: false }
  }
  let asked = 0
  const reader = {
    async standing(of: 'state' | 'ended', cursor?: { afterSeq: number }): Promise<SnapshotPage> {
      asked++
      await new Promise<void>((resolve) => waiting.push(resolve))
      return of === 'ended' ? { frames: [], at, next: undefined, partial: false } : pageAfter(cursor?.afterSeq ?? 0)
    },
  } as unknown as StandingHost['reader']
  return {
    host: {
      kinds: new TopicKinds(resolveTopicRules([{ match: 'state.>', kind: 'state' }])),
      reader,
      isClosed: false,
      pause: () => Promise.resolve(),
      onStanding: () => undefined,
    },
    get asked() {
      return asked
    },
    async answer() {
      for (const resolve of waiting.splice(0)) resolve()
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

test('what is read anew is read once, however often it has to begin again', async () => {
  const log = slowLog(20)
  const standing = new Standing(log.host)
  const reloads: Promise<void>[] = []
  for (let i = 0; i < 50; i++) {
    reloads.push(standing.reload())
    await log.answer()
    await log.answer()
  }
  while (!standing.isReady(positionAt(20))) await log.answer()
  await Promise.all(reloads)
  // Each that was given up had asked for two pages and may have waited for a third; the last has asked for all.
  expect(log.asked).toBeLessThanOrEqual(49 * 3 + 21)
})
