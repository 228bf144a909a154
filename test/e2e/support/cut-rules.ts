import type { CutRule } from './cutting-proxy.ts'

/** Cuts after so many bytes of the response, its head included. */
export function afterBytes(count: number): CutRule {
  return (response) => (response.length >= count ? count : undefined)
}

/** Cuts `offset` bytes after the start of the n-th occurrence of a text. */
export function inside(text: string, offset: number, occurrence = 1): CutRule {
  return (response) => {
    let at = -1
    for (let i = 0; i < occurrence; i++) {
      at = response.indexOf(text, at + 1)
      if (at === -1) return undefined
    }
    return response.length >= at + offset ? at + offset : undefined
  }
}

/** Every event of the tests carries this: four bytes of UTF-8, then three, then two. */
export const MANY_BYTES = '😀漢é'

/** Places in a stream at which a connection may break, each of which something could get wrong. */
export const CUT_PLACES: readonly (readonly [where: string, rule: CutRule])[] = [
  ['before the first byte', afterBytes(0)],
  ['inside the response head', afterBytes(40)],
  ['after the response head', inside('\r\n\r\n', 4)],
  ['inside the first chunk size', inside('\r\n\r\n', 5)],
  ['inside retry', inside('\nretry: ', 9)],
  ['inside stream:connected', inside('event: stream:connected', 12)],
  ['after stream:connected, before any event', inside('"heartbeatMs":100}\n\n', 20)],
  ['inside the first event', inside('"n":', 2)],
  ['inside an id line', inside('\nid: ', 9, 3)],
  ['after an id line', inside('\nevent: tick', 1, 2)],
  ['inside a character of four bytes', inside(MANY_BYTES, 2, 3)],
  ['inside a character of three bytes', inside(MANY_BYTES, 5, 2)],
  ['inside a field name', inside('\ndata: {"n"', 3, 3)],
  ['between the last line of an event and the blank one', inside('"}\n\n', 3, 2)],
  ['after a blank line', inside('"}\n\n', 4, 3)],
]
