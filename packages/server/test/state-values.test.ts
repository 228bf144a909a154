import { parseSelector, parseTopic } from '@millrace/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Audience } from '../src/audience.ts'
import { Frame } from '../src/frame.ts'
import { StateValues } from '../src/state-values.ts'
import { TopicKinds } from '../src/topic-kinds.ts'
import { request } from './support/hub-scene.ts'

interface Told {
  readonly topic: string
  readonly key?: string
  readonly type?: string
  readonly end?: boolean
}

function valueOf(seq: number, { topic, key, type, end }: Told = { topic: 's.a' }): Frame {
  const position = { epoch: 'e', seq, check: 'abc' }
  const event = { topic: parseTopic(topic), data: String(seq), timeMs: 0, position }
  const rest = { ...(key === undefined ? {} : { key }), ...(type === undefined ? {} : { type }) }
  return new Frame({ ...event, ...rest, ...(end === true ? { end } : {}) }, 0, true)
}

function makeValues(): StateValues {
  return new StateValues(new TopicKinds([{ match: parseSelector('>'), kind: 'state', maxRatePerSecond: false }]))
}

function audienceOf(selectors: readonly string[], types: readonly string[] = []): Audience {
  return new Audience(`${selectors.join()} ${types.join()}`, {
    ...request(selectors.join()),
    types,
  })
}

function pass(values: StateValues, frames: readonly Frame[]): void {
  values.commit(frames, values.plan(frames, 0, 10), 0)
}

const seqsOf = (frames: readonly Frame[]): number[] => frames.map(({ seq }) => seq)

describe('values that were looked up', () => {
  test('are shared, and taken on as values change', () => {
    const values = makeValues()
    const [one, other] = [audienceOf(['s.a']), audienceOf(['s.*'])]
    values.load([valueOf(1), valueOf(2, { topic: 's.b' })])
    expect([values.matching(one), values.matching(other)].map(seqsOf)).toEqual([[1], [1, 2]])
    const known = values.matching(other)
    pass(values, [valueOf(3)])
    expect([values.matching(one), values.matching(other)].map(seqsOf)).toEqual([[3], [2, 3]])
    expect(values.matching(other)).toBe(known)
  })

  test('are let go when nobody asks for them while values change, or when nobody is there', () => {
    const values = makeValues()
    const [asking, silent] = [audienceOf(['s.a']), audienceOf(['s.*'])]
    values.load([valueOf(1)])
    for (let seq = 2; seq < 1000; seq++) {
      if (seq === 2) values.matching(silent)
      values.matching(asking)
      pass(values, [valueOf(seq)])
    }
    expect(silent.values).toBeUndefined()
    expect(asking.values).toBeDefined()
    values.release()
    expect(asking.values).toBeUndefined()
  })

  test('are bounded over all audiences, also as they are taken on', () => {
    const values = makeValues()
    const audiences = Array.from({ length: 2000 }, (_, i) => audienceOf(['s.a', `x.${i}`]))
    for (let seq = 1; seq <= 600; seq++) {
      pass(values, [valueOf(seq, { topic: 's.a', key: String(seq) })])
      if (seq % 50 === 0) for (const audience of audiences) values.matching(audience)
    }
    const kept = audiences.reduce((sum, { values: known }) => sum + (known?.frames.length ?? 0), 0)
    expect(kept).toBeLessThan(1_050_000)
  })

  test('are what somebody finds who looks them up for the first time', () => {
    const told = fc.record({
      topic: fc.constantFrom('s.a', 's.b', 't'),
      key: fc.constantFrom('1', '2', '3'),
      type: fc.constantFrom('x', 'y'),
      end: fc.integer({ min: 0, max: 11 }).map((n) => n === 0),
    })
    const step = fc.record({
      values: fc.array(told, { maxLength: 5 }),
      asking: fc.array(fc.nat(9), { maxLength: 6 }),
      // More than are taken on one by one.
      times: fc.constantFrom(1, 1, 1, 40),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const asked = [['>'], ['s.*'], ['s.a'], ['s.a', 't'], ['*', 's.b']].flatMap((selectors) => [
          audienceOf(selectors),
          audienceOf(selectors, ['x']),
        ])
        const values = makeValues()
        const all: Frame[] = []
        for (const { values: newer, asking, times } of steps) {
          for (let i = 0; i < times; i++) {
            const frames = newer.map((each, at) => valueOf(all.length + at + 1, each))
            all.push(...frames)
            pass(values, frames)
          }
          const fresh = makeValues()
          fresh.load(all)
          for (const at of asking) {
            const audience = asked[at]
            if (!audience) continue
            const first = audienceOf(audience.selectors, at % 2 === 1 ? ['x'] : [])
            expect(seqsOf(values.matching(audience))).toEqual(seqsOf(fresh.matching(first)))
          }
        }
      }),
      { seed: 7, numRuns: 300 },
    )
  })
})
