/** Bytes that are no UTF-8, and what a decoder has to make of them. */
export interface MalformedUtf8 {
  readonly name: string
  readonly bytes: Uint8Array
  /** One U+FFFD for each maximal subpart (Encoding Standard §4.1), as browsers do. */
  readonly decoded: string
}

/**
 * One of each way in which text can be broken. A stream stays open over all of them (HTML Standard §9.2.5):
 * `send('data: ', malformed.bytes, '\n\n')` is an event whose data is `malformed.decoded`.
 */
export const malformedUtf8: readonly MalformedUtf8[] = [
  malformed('a continuation byte without a start', [0x80], 1),
  malformed('a byte that is never used', [0xff], 1),
  malformed('an overlong slash', [0xc0, 0xaf], 2),
  malformed('a character of three bytes without its last', [0xe2, 0x82], 1),
  malformed('a character of four bytes without its last', [0xf0, 0x9f, 0x98], 1),
  malformed('a surrogate', [0xed, 0xa0, 0x80], 3),
  malformed('a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 4),
]

function malformed(name: string, bytes: readonly number[], replacements: number): MalformedUtf8 {
  return { name, bytes: Uint8Array.from(bytes), decoded: '\uFFFD'.repeat(replacements) }
}
