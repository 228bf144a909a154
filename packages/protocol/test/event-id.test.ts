import { formatEventId, MAX_EVENT_ID_LENGTH, parseEventId, type Position } from '@millrace/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyText } from './support/streams.ts'
import { idVectors } from './support/vectors.ts'

const alphabet = fc.constantFrom(...Array.from('abcdefghijklmnopqrstuvwxyz0123456789'))
const position: fc.Arbitrary<Position> = fc.record({
  epoch: fc.string({ unit: alphabet, minLength: 1, maxLength: 16 }),
  seq: fc.oneof(fc.maxSafeNat(), fc.nat(5), fc.constant(Number.MAX_SAFE_INTEGER)),
  check: fc.string({ unit: alphabet, minLength: 3, maxLength: 3 }),
})

describe('[MR-ID-1] an event id', () => {
  test.each(idVectors.valid)('$id', ({ id, position: expected }) => {
    expect(parseEventId(id)).toEqual(expected)
    expect(formatEventId(expected)).toBe(id)
  })

  test('says its position, whatever it is', () => {
    fc.assert(
      fc.property(position, (expected) => {
        const id = formatEventId(expected)
        expect(parseEventId(id)).toEqual(expected)
        expect(id.length).toBeLessThanOrEqual(MAX_EVENT_ID_LENGTH)
        // It can stand in a header and in a query as it is.
        expect(id).toMatch(/^[a-z0-9-]+$/)
      }),
      { seed: 1, numRuns: 1000 },
    )
  })

  test.each<[string, Partial<Position>]>([
    ['no epoch', { epoch: '' }],
    ['an epoch of 17 characters', { epoch: 'a'.repeat(17) }],
    ['a dash in the epoch', { epoch: 'a-b' }],
    ['a capital in the epoch', { epoch: 'A' }],
    ['a line end in the epoch', { epoch: 'a\n' }],
    ['a negative seq', { seq: -1 }],
    ['a broken seq', { seq: 1.5 }],
    ['no number', { seq: Number.NaN }],
    ['an unsafe seq', { seq: 2 ** 53 }],
    ['an infinite seq', { seq: Infinity }],
    ['a short check', { check: 'ab' }],
    ['a long check', { check: 'abcd' }],
  ])('is not made of %s', (_what, fault) => {
    expect(() => formatEventId({ epoch: 'a', seq: 1, check: 'abc', ...fault })).toThrow(
      expect.objectContaining({ code: 'invalid_position' }),
    )
  })
})

describe('[MR-ID-2] what is not an event id', () => {
  test.each(idVectors.invalid)('%j', (text) => {
    expect(parseEventId(text)).toBeUndefined()
  })

  test('nothing is read that would be written otherwise', () => {
    const digits = fc.string({ unit: fc.constantFrom(...Array.from('0123456789+-. e')), maxLength: 18 })
    const nearly = fc
      .tuple(fc.string({ maxLength: 18 }), digits, fc.string({ maxLength: 4 }))
      .map((parts) => parts.join('-'))
    const mutated = fc
      .tuple(position, fc.nat(30), fc.constantFrom('', '-', '0', 'a', 'A', ' ', '\n', '\0', 'é'))
      .map(([of, at, text]) => {
        const id = formatEventId(of)
        return id.slice(0, at) + text + id.slice(at + 1)
      })
    fc.assert(
      fc.property(fc.oneof(anyText, nearly, mutated), (text) => {
        const read = parseEventId(text)
        expect(read && formatEventId(read)).toBe(read && text)
      }),
      { seed: 2, numRuns: 5000 },
    )
  })

  test('a very long text is not looked at', () => {
    expect(parseEventId(`a-1-${'a'.repeat(10_000_000)}`)).toBeUndefined()
  })

  test.each([undefined, null, 7, ['a-1-abc']])('%j', (value) => {
    expect(parseEventId(value as unknown as string)).toBeUndefined()
  })
})
