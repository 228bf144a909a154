import fc from 'fast-check'
import { utf8 } from './chunks.ts'

const lineEnds = ['\n', '\n', '\n', '\r', '\r\n']

const pieces = [
  ...[
    'data',
    'data:',
    'data: ',
    'data:  ',
    'event',
    'event:',
    'event: ',
    'id',
    'id:',
    'id: ',
    'retry',
    'retry: ',
    'retry:',
  ],
  ...[
    'topic',
    'topic:',
    'topic: ',
    ':',
    ': ',
    ' ',
    'dat',
    'datax: ',
    'Data: ',
    'foo: ',
    'a',
    'b: c',
    '0',
    '12',
    '900',
    'tick',
  ],
  ...['\0', '\t', '\u00e9', '\u20ac', '\u{1F600}', '\u0085', '\u2028', '\ufeff', 'x'.repeat(40)],
]

const line = fc
  .tuple(fc.array(fc.constantFrom(...pieces), { maxLength: 5 }), fc.constantFrom(...lineEnds))
  .map(([parts, end]) => parts.join('') + end)

const block = fc
  .tuple(
    fc.array(fc.oneof(line, fc.constantFrom('data: a\n', 'data: b\r\n', 'id: 1\n', 'event: t\r', 'topic: x\n')), {
      maxLength: 6,
    }),
    fc.constantFrom('\n', '\n', '\r', '\r\n', ''),
  )
  .map(([lines, end]) => lines.join('') + end)

/** Streams of all that the grammar knows and much that it does not; the last block is often unfinished. */
export const streamText: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', '', '', '\ufeff', '\ufeff\ufeff'),
    fc.array(block, { maxLength: 8 }),
    fc.constantFrom('', 'data: cut', 'id: 9'),
  )
  .map(([start, blocks, rest]) => start + blocks.join('') + rest)

/** Bytes that are often malformed UTF-8, with lead bytes, continuation bytes and the borders between them. */
export const brokenUtf8: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        0x41,
        0x7f,
        0x80,
        0x8f,
        0x90,
        0x9f,
        0xa0,
        0xbf,
        0xc0,
        0xc2,
        0xdf,
        0xe0,
        0xe1,
        0xec,
        0xed,
        0xee,
        0xef,
        0xf0,
        0xf1,
        0xf3,
        0xf4,
        0xf5,
        0xff,
      ),
      fc.integer({ min: 0x0e, max: 0xff }),
      fc.constantFrom(0xbb, 0x9f, 0x98, 0x80),
    ),
    { maxLength: 24 },
  )
  .map((bytes) => Uint8Array.from(bytes))

/** Streams with malformed UTF-8 anywhere. */
export const streamBytes: fc.Arbitrary<Uint8Array> = fc
  .array(fc.oneof({ weight: 3, arbitrary: streamText.map(utf8) }, { weight: 1, arbitrary: brokenUtf8 }), {
    maxLength: 4,
  })
  .map((parts) => Buffer.concat(parts))
  .map((bytes) => new Uint8Array(bytes))

/** Texts with lone surrogates, line ends, NUL and BOM. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc
    .array(
      fc.oneof(
        fc.constantFrom(0x0a, 0x0d, 0x00, 0x20, 0x3a, 0xfeff, 0xd83d, 0xde00, 0x2028),
        fc.integer({ min: 0, max: 0xffff }),
      ),
      { maxLength: 20 },
    )
    .map((units) => String.fromCharCode(...units)),
  fc
    .array(fc.constantFrom('data: x', '\n', '\r', '\r\n', '\n\n', ': ', ' ', 'id: 1', ''), { maxLength: 8 })
    .map((parts) => parts.join('')),
)

/** One line of text that an id may be. */
export const anyLine: fc.Arbitrary<string> = anyText.map((text) => text.replaceAll(/[\r\n\0]/g, ''))
