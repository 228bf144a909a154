import { matchesSelector, parseSelector, parseTopic, type Selector } from '@millrace/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AudienceIndex } from '../src/audience-index.ts'
import { Frame } from '../src/frame.ts'
import type { SubscribeRequest } from '../src/subscribe-request.ts'

const SEED = 20_261

function request(selectors: readonly string[], types: readonly string[] = []): SubscribeRequest {
  return {
    selectors: selectors.map((text) => parseSelector(text)),
    types,
    from: 'now',
    lastEventId: undefined,
    nameBy: 'type',
    envelope: false,
  }
}

function frame(topic: string, type?: string): Frame {
  const position = { epoch: 'e', seq: 1, check: 'abc' }
  return new Frame({ topic: parseTopic(topic), ...(type ? { type } : {}), data: '', timeMs: 0, position }, 0)
}

function matches(index: AudienceIndex, wanted: Frame): string[] {
  const keys: string[] = []
  index.match(wanted, (audience, wantsType) => {
    if (wantsType) keys.push(audience.key)
  })
  return keys.sort()
}

const segment = fc.constantFrom('a', 'b', 'c')
const topics = fc.oneof(
  fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.')),
  fc.constant('@a'),
)
const selectors = fc.oneof(
  topics,
  fc
    .tuple(fc.array(fc.oneof(segment, fc.constant('*')), { maxLength: 3 }), fc.constantFrom('>', '*', 'a'))
    .map(([parts, last]) => [...parts, last].join('.')),
)

test('match finds each audience that has a matching selector, once, and no other', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(selectors, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
      topics,
      (lists, topic) => {
        const index = new AudienceIndex()
        const audiences = lists.map((list) => index.acquire(request(list)))
        const wanted = audiences.filter((audience) =>
          audience.selectors.some((selector: Selector) => matchesSelector(selector, parseTopic(topic))),
        )
        expect(matches(index, frame(topic))).toEqual([...new Set(wanted.map(({ key }) => key))].sort())
      },
    ),
    { seed: SEED, numRuns: 2_000 },
  )
})

test('an index is empty after the last reference to each audience was released', () => {
  fc.assert(
    fc.property(fc.array(fc.array(selectors, { minLength: 1, maxLength: 3 }), { maxLength: 8 }), (lists) => {
      const index = new AudienceIndex()
      const audiences = lists.map((list) => index.acquire(request(list)))
      for (const audience of audiences) index.release(audience)
      expect([index.size, index.entryCount]).toEqual([0, 0])
    }),
    { seed: SEED, numRuns: 500 },
  )
})

test('requests that ask for the same in another order share an audience', () => {
  const index = new AudienceIndex()
  const one = index.acquire(request(['a', 'b.*'], ['x', 'y']))
  expect(index.acquire(request(['b.*', 'a'], ['y', 'x']))).toBe(one)
  expect(index.acquire({ ...request(['b.*', 'a'], ['y', 'x']), envelope: true })).not.toBe(one)
  expect(index.size).toBe(2)
})

test('a type filter takes an event without a type for a message', () => {
  const index = new AudienceIndex()
  index.acquire(request(['a'], ['message']))
  expect(matches(index, frame('a'))).toHaveLength(1)
  expect(matches(index, frame('a', 'tick'))).toHaveLength(0)
})
