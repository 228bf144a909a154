import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cut, drip, utf8 } from './support/chunks.ts'
import { record, type Recording } from './support/recorder.ts'
import { longestLine, parseWhole } from './support/reference-parser.ts'
import { brokenUtf8, streamBytes } from './support/streams.ts'
import { parseVectors, type ParseVector } from './support/vectors.ts'

describe.each(parseVectors)('[$clause] $name', (vector) => {
  const bytes = bytesOf(vector)
  const expected = expectedOf(vector)

  test('in one chunk, decoded at once or in the smallest parts', () => {
    expect(parseWhole(bytes), 'the reference').toEqual(expected)
    expect(record([bytes])).toEqual(expected)
    expect(record([bytes], { maxLineBytes: longestLine(bytes) })).toEqual(expected)
  })

  test('byte by byte, and cut at any one or two places', () => {
    expect(record(drip(bytes).flatMap((byte) => [new Uint8Array(0), byte]))).toEqual(expected)
    for (let place = 0; place <= bytes.length; place++) expect(record(cut(bytes, place))).toEqual(expected)
    // Past this place the long vectors only repeat themselves.
    const last = Math.min(bytes.length, 80)
    for (let one = 0; one <= last; one++) {
      for (let two = one; two <= last; two++) expect(record(cut(bytes, one, two))).toEqual(expected)
    }
  })
})

describe('any stream, cut anywhere', () => {
  const places = fc.array(fc.nat(400), { maxLength: 12 })

  test('[MR-PARSE-3] says what the standard says', () => {
    fc.assert(
      fc.property(streamBytes, places, (bytes, cuts) => {
        expect(record(cut(bytes, ...cuts))).toEqual(parseWhole(bytes))
      }),
      { seed: 1, numRuns: 3000 },
    )
  })

  test('[MR-PARSE-3] says the same byte by byte', () => {
    fc.assert(
      fc.property(streamBytes, (bytes) => {
        expect(record(drip(bytes))).toEqual(parseWhole(bytes))
      }),
      { seed: 2, numRuns: 1000 },
    )
  })

  test('[MR-PARSE-3] says the same when chunks are much longer than what is decoded at once', () => {
    const long = fc
      .array(streamBytes, { minLength: 30, maxLength: 80 })
      .map((parts) => new Uint8Array(Buffer.concat(parts)))
    fc.assert(
      fc.property(long, places, (bytes, cuts) => {
        expect(record(cut(bytes, ...cuts.map((place) => place * 30)))).toEqual(parseWhole(bytes))
      }),
      { seed: 3, numRuns: 200 },
    )
  })

  test.each([900, 1030, 2040, 2050, 3070, 4100, 5200, 9000, 20_000])(
    '[MR-PARSE-3] says the same with a line of about %i bytes before the cut',
    (length) => {
      for (let more = 0; more < 8; more++) {
        const bytes = utf8(`id: 1\rdata: ${'x'.repeat(length + more)}é\r\ndata: y\n\ndata: z\r\r`)
        const expected = parseWhole(bytes)
        expect(expected.events.map((event) => event.data.length)).toEqual([length + more + 3, 1])
        expect(record([bytes])).toEqual(expected)
        for (const place of [10, 13, length, length + 18, length + 21])
          expect(record(cut(bytes, place))).toEqual(expected)
        expect(record(cut(bytes, 1000, 1010, 5000, 9000))).toEqual(expected)
      }
    },
  )
})

test('[MR-PARSE-3] lines much longer than what is decoded at once may be cut anywhere, in characters too', () => {
  const line = fc
    .tuple(
      fc.constantFrom('data: ', 'id: ', ':', 'x', 'data'),
      fc.constantFrom('x', 'é', '€', '😀', 'a\ufeff', '\0', 'a€😀'),
      fc.integer({ min: 4_000, max: 30_000 }),
    )
    .map(([name, unit, bytes]) => utf8(name + unit.repeat(bytes / utf8(unit).length)))
  const broken = fc.constantFrom([], [0xe2], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xff])
  const ended = fc
    .tuple(line, broken, fc.constantFrom('\n', '\r', '\r\n'), streamBytes)
    .map(([long, cutCharacter, end, after]) => Uint8Array.of(...long, ...cutCharacter, ...utf8(end), ...after))
  fc.assert(
    fc.property(
      fc.array(ended, { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat(90_000), { maxLength: 12 }),
      (parts, cuts) => {
        const bytes = new Uint8Array(Buffer.concat(parts))
        expect(record(cut(bytes, ...cuts))).toEqual(parseWhole(bytes))
      },
    ),
    { seed: 11, numRuns: 300 },
  )
})

test('[MR-PARSE-3] a line of any length may be cut anywhere', () => {
  const lengths = [31, 32, 33, 63, 64, 65, 4094, 4095, 4096, 4097, 8190, 8191, 8192, 8193, 8194]
  for (const length of lengths) {
    const bytes = utf8(`data:${'x'.repeat(length - 5)}\n\n`)
    const cuts = [
      [1],
      [length - 1],
      [length],
      [10, length],
      [length - 33, length],
      [length >> 1],
      [length >> 1, length],
    ]
    for (const places of cuts) {
      expect(record(cut(bytes, ...places)).events.map((event) => event.data.length)).toEqual([length - 5])
    }
  }
})

describe('[MR-PARSE-1] malformed UTF-8', () => {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const streamOf = (value: Uint8Array): Uint8Array =>
    new Uint8Array(Buffer.concat([utf8('data: '), value, utf8('\n\n')]))
  const dataOf = (chunks: Uint8Array[]): (string | undefined)[] => record(chunks).events.map((event) => event.data)

  test('is decoded as TextDecoder decodes it, under every cut', () => {
    const value = brokenUtf8.map((bytes) => bytes.filter((byte) => byte !== 10 && byte !== 13))
    fc.assert(
      fc.property(value, (bytes) => {
        const stream = streamOf(bytes)
        const expected = [decoder.decode(bytes)]
        for (let place = 0; place <= stream.length; place++) expect(dataOf(cut(stream, place))).toEqual(expected)
        expect(dataOf(drip(stream))).toEqual(expected)
      }),
      { seed: 4, numRuns: 600 },
    )
  })

  test('is decoded as TextDecoder decodes it, for every lead byte and what may or may not follow it', () => {
    const followers = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xf0, 0xff]
    for (let lead = 0x80; lead <= 0xff; lead++) {
      for (const second of followers) {
        for (const third of [0x41, 0x80, 0xc2]) {
          const bytes = Uint8Array.of(lead, second, third, 0x80)
          for (const place of [6, 7, 8, 9]) expect(dataOf(cut(streamOf(bytes), place))).toEqual([decoder.decode(bytes)])
        }
      }
    }
  })
})

function bytesOf(vector: ParseVector): Uint8Array {
  return vector.base64 === undefined ? utf8(vector.input ?? '') : Uint8Array.from(Buffer.from(vector.base64, 'base64'))
}

function expectedOf({ events, ids = [], retries = [], comments = [] }: ParseVector): Recording {
  return {
    events: events.map((event) => ({ topic: undefined, ...event })),
    ids: [...ids],
    retries: [...retries],
    comments: [...comments],
    lastEventId: ids.at(-1) ?? '',
  }
}
