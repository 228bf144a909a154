/** Decodes whole pieces of UTF-8. Keeps a BOM: who reads a stream takes off exactly one by itself, at its start. */
export const utf8Decoder: TextDecoder = new TextDecoder('utf-8', { ignoreBOM: true })
