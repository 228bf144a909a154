/** How many bytes the text has in UTF-8. A lone surrogate counts as the U+FFFD that an encoder puts in its place. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    if (unit < 0x800) bytes += 1
    else if (isPair(unit, text.charCodeAt(i + 1))) {
      // Two units, four bytes.
      bytes += 2
      i++
    } else bytes += 2
  }
  return bytes
}

function isPair(unit: number, next: number): boolean {
  return (unit & 0xfc00) === 0xd800 && (next & 0xfc00) === 0xdc00
}
