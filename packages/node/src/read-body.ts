import type { NodeRequest } from './node-http.ts'

/**
 * The bytes of a body, or undefined when there are more than `maxBytes`: the rest is then drained, so that the answer
 * can be read. What a framework has parsed before is written as JSON again.
 */
export async function readBody(request: NodeRequest, maxBytes: number): Promise<Uint8Array | undefined> {
  if ('body' in request && request.body !== undefined) return Buffer.from(JSON.stringify(request.body))
  const parts: Buffer[] = []
  let byteLength = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    byteLength += part.byteLength
    if (byteLength <= maxBytes) parts.push(part)
    else parts.length = 0
  }
  return byteLength <= maxBytes ? Buffer.concat(parts) : undefined
}
