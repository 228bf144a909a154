import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LineSplitter, type Lines } from '../src/http/line-splitter.ts'

const MAX = 1_000

function split(bytes: Buffer, cuts: readonly number[], maxLineBytes: number = MAX): Lines[] {
  const splitter = new LineSplitter(maxLineBytes)
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  const found: Lines[] = []
  for (const [i, edge] of edges.slice(1).entries()) {
    found.push(splitter.push(bytes.subarray(edges[i], edge)))
    if (found.at(-1)?.fault) return found
  }
  return [...found, splitter.end()]
}

const texts = (found: readonly Lines[]): string[] => found.flatMap((lines) => lines.texts)

describe('lines', () => {
  test('are the same wherever the bytes are cut, also inside a character', () => {
    const line = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll(/[\n\ufeff]/g, ' '))
    const cuts = fc.array(fc.nat(), { maxLength: 20 })
    fc.assert(
      fc.property(fc.array(line, { maxLength: 10 }), fc.boolean(), cuts, (lines, isEnded, at) => {
        const found = split(Buffer.from(lines.join('\n') + (isEnded ? '\n' : '')), at)
        // The last of them is there without its end, unless there is nothing of it.
        const whole = isEnded || lines.at(-1) !== '' ? lines : lines.slice(0, -1)
        expect(texts(found)).toEqual(lines.length === 0 && isEnded ? [''] : whole)
        expect(found.every(({ fault }) => fault === undefined)).toBe(true)
      }),
      { seed: 4711, numRuns: 500 },
    )
  })

  test('are counted on from chunk to chunk', () => {
    const found = split(Buffer.from('a\nb\nc\nd'), [1, 2, 3, 6])
    expect(found.filter((lines) => lines.texts.length > 0).map(({ first }) => first)).toEqual([1, 2, 4])
  })

  test('keep a CR, which is white space to JSON, and lose a byte order mark at the start alone', () => {
    expect(texts(split(Buffer.from('\ufeffa\r\n\ufeffb\r\n'), []))).toEqual(['a\r', '\ufeffb\r'])
  })
})

describe('a line that cannot be read', () => {
  test.each([
    ['is not UTF-8', Buffer.concat([Buffer.from('one\ntwo\n'), Buffer.from([0xff]), Buffer.from('\nfour\n')])],
    ['is cut inside a character at the end', Buffer.concat([Buffer.from('one\ntwo\n'), Buffer.from([0xe2, 0x82])])],
    ['is too long', Buffer.from(`one\ntwo\n${'x'.repeat(MAX + 1)}\nfour`)],
    ['is too long and has no end', Buffer.from(`one\ntwo\n${'x'.repeat(3 * MAX)}`)],
  ])('has its number when it %s, and those before it are there', (_why, bytes) => {
    for (const cuts of [[], [5], [9, 500, 900], Array.from({ length: 100 }, (_, i) => i * 13)]) {
      const found = split(bytes, cuts)
      expect(texts(found)).toEqual(['one', 'two'])
      expect(found.at(-1)?.fault?.message).toMatch(/^Line 3 is (?:not valid UTF-8|longer than 1000 bytes)\./)
    }
  })

  test('a line of exactly the limit is none', () => {
    expect(texts(split(Buffer.from(`${'x'.repeat(MAX)}\n${'y'.repeat(MAX)}`), [3, 1_500]))).toHaveLength(2)
  })

  test('many lines that are together longer than the limit are none', () => {
    expect(texts(split(Buffer.from('line\n'.repeat(1_000)), []))).toHaveLength(1_000)
  })
})
