import { utf8Decoder } from './utf8-decoder.ts'

export const LF = 10
export const CR = 13

/** Past the first size, whole pieces of the second are passed over. Bytes. */
const NEAR_BYTES = 1024
const PIECE_BYTES = 4096
/** How far from the end of a window the end of a block is looked for. Bytes. */
const BLOCK_BYTES = 256

/** Where the first line end, LF or CR, at or after `from` is; the length when there is none. */
export function findLineEnd(bytes: Uint8Array, from: number): number {
  let at = scan(bytes, from, Math.min(from + NEAR_BYTES, bytes.length))
  if (at < from + NEAR_BYTES) return at
  // In a long line: decoding a piece and searching the text is several times as fast as looking at each byte.
  while (at < bytes.length) {
    const next = Math.min(at + PIECE_BYTES, bytes.length)
    const text = utf8Decoder.decode(bytes.subarray(at, next))
    if (text.indexOf('\n') >= 0 || text.indexOf('\r') >= 0) return scan(bytes, at, next)
    at = next
  }
  return at
}

/**
 * Where the last line end in [from, to) is, or one a little before it that ends a block too, so that few events are
 * cut; -1 when there is none.
 */
export function findCut(bytes: Uint8Array, from: number, to: number): number {
  let lineEnd = -1
  for (let at = to - 1; at >= from; at--) {
    if (lineEnd >= 0 && at < to - BLOCK_BYTES) break
    if (bytes[at] !== LF && bytes[at] !== CR) continue
    if (at > from && bytes[at] === LF && bytes[at - 1] === LF) return at
    if (lineEnd < 0) lineEnd = at
  }
  return lineEnd
}

function scan(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  while (at < to && bytes[at] !== LF && bytes[at] !== CR) at++
  return at
}
