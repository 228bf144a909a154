import type { IncomingMessage } from 'node:http'
import type { RequestFacts } from './socket-answer.ts'

const MAX_BODY_BYTES = 16 * 1024 * 1024

/** A request with its body; its number is 0 until it has one. Undefined when the body is above 16 MiB, or the target is none. */
export async function readRequest(request: IncomingMessage, origin: string): Promise<RequestFacts | undefined> {
  const target = `${origin}${request.url ?? '/'}`
  if (!URL.canParse(target)) return undefined
  const atMs = performance.now()
  const chunks: Buffer[] = []
  let byteLength = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    byteLength += chunk.length
    if (byteLength > MAX_BODY_BYTES) return undefined
  }
  const headers = new Map<string, string>()
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, typeof value === 'string' ? value : value.join(', '))
  }
  const id = headers.get('last-event-id')
  return {
    number: 0,
    atMs,
    method: request.method ?? 'GET',
    url: new URL(target),
    httpVersion: request.httpVersion,
    headers,
    body: Buffer.concat(chunks),
    // Node makes one character of each byte of a header.
    lastEventId: id === undefined ? undefined : Buffer.from(id, 'latin1').toString('utf8'),
  }
}
