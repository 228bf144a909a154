import {
  compileSelectors,
  coversSelector,
  isPattern,
  matchesSelector,
  MAX_TOPIC_BYTES,
  MAX_TOPIC_SEGMENTS,
  parseSelector,
  parseTopic,
  userTopic,
  type Selector,
  type Topic,
} from '@millrace/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyText } from './support/streams.ts'
import { thrownBy } from './support/thrown-by.ts'
import { topicVectors } from './support/vectors.ts'

const segment = fc.constantFrom('a', 'b', 'ab', 'é', 'x1')
const topic: fc.Arbitrary<Topic> = fc
  .oneof(
    { weight: 8, arbitrary: fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.')) },
    fc.constantFrom('@a', '@ab'),
  )
  .map((text) => parseTopic(text))
const selector: fc.Arbitrary<Selector> = fc
  .oneof(
    {
      weight: 8,
      arbitrary: fc
        .tuple(fc.array(fc.oneof(segment, fc.constant('*')), { maxLength: 4 }), fc.constantFrom('a', '*', '>'))
        .map(([parts, last]) => [...parts, last].join('.')),
    },
    fc.constantFrom('@a', '@ab'),
  )
  .map((text) => parseSelector(text))

describe('[MR-TOPIC-1] a topic', () => {
  test.each(topicVectors.topics)('%s', (text) => {
    expect(parseTopic(text)).toBe(text)
    expect(parseSelector(text)).toBe(text)
    expect(isPattern(parseSelector(text))).toBe(false)
  })

  test.each([...topicVectors.invalid, ...topicVectors.selectors])('is not %j', (text) => {
    expect(() => parseTopic(text)).toThrow(expect.objectContaining({ code: 'invalid_topic' }))
  })

  test.each(['\ud800', 'a.\udc00', '\udc00\ud800'])('is not ill-formed Unicode: %j', (text) => {
    expect(() => parseTopic(text)).toThrow(
      expect.objectContaining({ code: 'invalid_topic', message: expect.stringContaining('lone surrogate') }),
    )
  })

  test.each([undefined, null, 7, ['a']])('is not %j', (value) => {
    expect(() => parseTopic(value as unknown as string)).toThrow(expect.objectContaining({ code: 'invalid_topic' }))
  })

  test('is never what could not stand in a query, in a field or in a list', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        // eslint-disable-next-line no-control-regex -- control characters are what is looked for
        const hasForbidden = /[\u0000-\u0020\u007f-\u009f,*>]/.test(text)
        const isTooLong = Buffer.byteLength(text) > MAX_TOPIC_BYTES || text.split('.').length > MAX_TOPIC_SEGMENTS
        const accepted = thrownBy(() => parseTopic(text)) === undefined
        expect(accepted && (hasForbidden || isTooLong || !text.isWellFormed())).toBe(false)
      }),
      { seed: 1, numRuns: 3000 },
    )
  })

  test('of ten million characters is refused with a short message', () => {
    expect(() => parseTopic('x'.repeat(10_000_000))).toThrow(
      /^"x{64}…" is not a topic: it has more than 256 bytes of UTF-8\.$/,
    )
  })

  test.each(['open', 'error', 'stream:connected'])('[MR-TOPIC-5] is not %s, which is taken', (text) => {
    expect(() => parseTopic(text)).toThrow(expect.objectContaining({ code: 'invalid_topic' }))
    expect(() => parseSelector(text)).toThrow(expect.objectContaining({ code: 'invalid_selector' }))
  })
})

describe('[MR-TOPIC-2] a selector', () => {
  test.each(topicVectors.selectors)('%s', (text) => {
    expect(parseSelector(text)).toBe(text)
    expect(isPattern(parseSelector(text))).toBe(true)
  })

  test.each(topicVectors.invalid)('is not %j', (text) => {
    expect(() => parseSelector(text)).toThrow(expect.objectContaining({ code: 'invalid_selector' }))
  })
})

describe('[MR-TOPIC-3] matching', () => {
  test.each(topicVectors.matches)('$selector', ({ selector: wanted, matches, misses }) => {
    const parsed = parseSelector(wanted)
    const compiled = compileSelectors([parsed])
    const names = [...matches, ...misses].map((name) => parseTopic(name))
    expect(names.filter((name) => matchesSelector(parsed, name))).toEqual(matches)
    expect(names.filter((name) => compiled(name))).toEqual(matches)
  })

  test('is what the pattern says as a regular expression', () => {
    fc.assert(
      fc.property(selector, topic, (wanted, name) => {
        const source = wanted
          .replaceAll('.', String.raw`\.`)
          .replaceAll('*', '[^.]+')
          .replaceAll('>', '.+')
        const expected =
          new RegExp(`^(?:${source})$`, 'u').test(name) && (!name.startsWith('@') || (wanted as string) === name)
        expect(matchesSelector(wanted, name)).toBe(expected)
      }),
      { seed: 2, numRuns: 5000 },
    )
  })

  test('is the same compiled, for any list of selectors', () => {
    fc.assert(
      fc.property(fc.array(selector, { maxLength: 5 }), topic, (wanted, name) => {
        expect(compileSelectors(wanted)(name)).toBe(wanted.some((each) => matchesSelector(each, name)))
      }),
      { seed: 3, numRuns: 10_000 },
    )
  })

  test('[MR-TOPIC-4] no pattern matches a topic that starts with @', () => {
    fc.assert(
      fc.property(selector, (wanted) => {
        const own = parseTopic('@a')
        expect(matchesSelector(wanted, own)).toBe((wanted as string) === own)
        expect(compileSelectors([wanted, parseSelector('>'), parseSelector('*')])(own)).toBe((wanted as string) === own)
      }),
      { seed: 4, numRuns: 500 },
    )
  })
})

describe('one selector covers another', () => {
  test('only if it matches all that the other matches', () => {
    fc.assert(
      fc.property(selector, selector, topic, (granted, wanted, name) => {
        const covered = coversSelector(granted, wanted) && matchesSelector(wanted, name)
        expect(covered && !matchesSelector(granted, name)).toBe(false)
      }),
      { seed: 5, numRuns: 10_000 },
    )
  })

  test('whenever it matches all that the other matches', () => {
    const names = allTopics(['a', 'b', 'c'], 4)
    const wildcards = [
      '>',
      '*',
      'a',
      '@a',
      'a.*',
      'a.>',
      '*.a',
      '*.>',
      '*.*',
      'a.b',
      'a.*.>',
      '*.b.>',
      'a.b.>',
      '*.*.>',
    ].map((text) => parseSelector(text))
    for (const granted of wildcards) {
      for (const wanted of wildcards) {
        const all = names.every((name) => !matchesSelector(wanted, name) || matchesSelector(granted, name))
        expect(coversSelector(granted, wanted), `${granted} covers ${wanted}`).toBe(all)
      }
    }
  })
})

/** All topics of the segments up to a depth, and some users' own. */
function allTopics(segments: readonly string[], depth: number): Topic[] {
  let level = ['']
  const names = ['@a', '@b']
  for (let i = 0; i < depth; i++) {
    level = level.flatMap((start) => segments.map((part) => (start === '' ? part : `${start}.${part}`)))
    names.push(...level)
  }
  return names.map((name) => parseTopic(name))
}

test("a user's topic is one segment, whatever the id is, and two users never share one", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }), (user) => {
      const own = userTopic(user)
      expect(parseTopic(own)).toBe(own)
      expect(decodeURIComponent(own.slice(1))).toBe(user)
    }),
    { seed: 20_261, numRuns: 500 },
  )
  expect(userTopic('a.b*c@d e')).toBe('@a%2Eb%2Ac%40d%20e')
  // Published under another spelling it would be stored, and reach nobody.
  for (const [text, own] of [
    ['@al/ice', '@al%2Fice'],
    ['@müller', '@m%C3%BCller'],
    ['@bob@corp', '@bob%40corp'],
    ['@100%', '@100%25'],
    ['@%61lice', '@alice'],
    ['@a%2eb', '@a%2Eb'],
  ] as const) {
    for (const parse of [parseTopic, parseSelector]) expect(() => parse(text)).toThrow(`so write ${own}.`)
  }
  for (const user of ['', 'x'.repeat(300), '\ud800']) expect(() => userTopic(user)).toThrow(/is not a/)
})
