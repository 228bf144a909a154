const encoder = new TextEncoder()
const CR = 13
const LF = 10

/**
 * Bytes of a stream, made once and given to any number of transports. One allocation holds both forms: `bytes` is a
 * view into `chunk`, so that a payload pins no more than it needs.
 */
export interface Payload {
  /** The bytes of the event stream themselves. Never empty. */
  readonly bytes: Uint8Array
  /** The same bytes framed as one chunk of HTTP/1.1 chunked transfer coding (RFC 9112, 7.1). */
  readonly chunk: Uint8Array
}

/** Joins the parts into one payload. At least one part must not be empty. */
export function joinPayload(parts: readonly Uint8Array[], byteLength: number): Payload {
  const head = byteLength.toString(16)
  const start = head.length + 2
  const chunk = new Uint8Array(start + byteLength + 2)
  for (let i = 0; i < head.length; i++) chunk[i] = head.charCodeAt(i)
  chunk[head.length] = CR
  chunk[head.length + 1] = LF
  let at = start
  for (const part of parts) {
    chunk.set(part, at)
    at += part.byteLength
  }
  chunk[at] = CR
  chunk[at + 1] = LF
  return { bytes: chunk.subarray(start, at), chunk }
}

/** Encodes a text as one payload. The text must not be empty. */
export function textPayload(text: string): Payload {
  const bytes = encoder.encode(text)
  return joinPayload([bytes], bytes.byteLength)
}
