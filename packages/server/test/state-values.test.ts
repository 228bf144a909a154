import { parseSelector, parseTopic } from '@millrace/protocol'
import { expect, test } from 'vitest'
import { Audience } from '../src/audience.ts'
import { Frame } from '../src/frame.ts'
import { StateValues } from '../src/state-values.ts'
import { TopicKinds } from '../src/topic-kinds.ts'
import { request } from './support/hub-scene.ts'

function valueOf(seq: number): Frame {
  const position = { epoch: 'e', seq, check: 'abc' }
  return new Frame({ topic: parseTopic('s'), data: String(seq), timeMs: 0, position }, 0, true)
}

test('values that were looked up are shared until there are newer ones, and then kept alive by nobody', () => {
  const kinds = new TopicKinds([{ match: parseSelector('s'), kind: 'state', maxRatePerSecond: false }])
  const values = new StateValues(kinds)
  const [one, other] = ['s', '*'].map((topic) => new Audience(topic, request(topic)))
  if (!one || !other) throw new Error('two audiences')
  values.load([valueOf(1)])
  expect([values.matching(one), values.matching(other)].map((frames) => frames.map(({ seq }) => seq))).toEqual([
    [1],
    [1],
  ])
  expect(values.matching(one)).toBe(values.matching(one))
  const frames = [valueOf(2)]
  values.commit(frames, values.plan(frames, 0, 10), 0)
  expect([one.values, other.values]).toEqual([undefined, undefined])
  expect(values.matching(one).map(({ seq }) => seq)).toEqual([2])
  values.release()
  expect(one.values).toBeUndefined()
})
