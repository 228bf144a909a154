import { matchesSelector, parseSelector, parseTopic } from '@millrace/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PatternSet, selectorTest } from '../src/memory/pattern-set.ts'

const segment = fc.constantFrom('a', 'b', 'c', '')
const name = fc
  .array(segment, { minLength: 1, maxLength: 5 })
  .map((segments) => segments.map((s) => s || 'd').join('.'))
const topics = fc.oneof(
  name,
  name.map((topic) => `@${topic.replaceAll('.', '')}`),
)
const pattern = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'c', '*'), { maxLength: 4 }), fc.constantFrom('*', '>'))
  .map(([segments, end]) => [...segments, end].join('.'))

describe('patterns together', () => {
  test('match what one of them matches, however many they are', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 70 }), fc.array(topics, { minLength: 20 }), (texts, names) => {
        const patterns = texts.map((text) => parseSelector(text))
        const set = new PatternSet(patterns)
        for (const each of names) {
          const topic = parseTopic(each)
          expect([each, set.matches(topic)]).toEqual([each, patterns.some((one) => matchesSelector(one, topic))])
        }
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  test('match beside plain topics, few or many', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(pattern, topics), { maxLength: 20 }), fc.array(topics), (texts, names) => {
        const selectors = texts.map((text) => parseSelector(text))
        const matches = selectorTest(selectors)
        for (const each of names) {
          const topic = parseTopic(each)
          expect([each, matches(topic)]).toEqual([each, selectors.some((one) => matchesSelector(one, topic))])
        }
      }),
      { seed: 7, numRuns: 300 },
    )
  })
})
