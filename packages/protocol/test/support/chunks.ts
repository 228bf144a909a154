const encoder = new TextEncoder()

export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** The bytes, cut at the places given, in any order. */
export function cut(bytes: Uint8Array, ...places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  let from = 0
  return ends.map((end) => {
    // A copy of its own, so that a parser that looks beyond its chunk is found out.
    const chunk = bytes.slice(from, end)
    from = end
    return chunk
  })
}

/** One byte in each chunk. */
export function drip(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte))
}
