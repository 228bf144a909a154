import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Answer } from './answer.ts'

/** RFC 9110, 7.6.1: of one connection, and not to be passed on. `expect` was answered by us. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
])

/**
 * Asks the upstream what the client asked, and passes its answer on as it comes. An upstream that cannot be reached, or that
 * is cut off, ends the client's connection in the same way: no answer is made up.
 */
export async function forwardTo(upstream: URL, answer: Answer): Promise<void> {
  try {
    const response = await ask(upstream, answer)
    const headers = pairs(response.rawHeaders).filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()))
    await answer.head({ status: response.statusCode ?? 502, headers })
    for await (const bytes of response) await answer.write(bytes as Buffer)
    await answer.end()
  } catch {
    answer.cut('rst')
  }
}

function ask(upstream: URL, answer: Answer): Promise<IncomingMessage> {
  const { method, url, headers, body } = answer.request
  const kept = Object.fromEntries([...headers].filter(([name]) => !HOP_BY_HOP.has(name)))
  // A server on this machine sees the host that the page sees, so that both are of one origin; one elsewhere needs its own.
  if (!isLoopback(upstream.hostname)) kept.host = upstream.host
  const send = upstream.protocol === 'https:' ? httpsRequest : httpRequest
  const target = new URL(url.pathname + url.search, upstream)
  return new Promise((resolve, reject) => {
    send(target, { method, headers: kept, agent: false, signal: answer.signal })
      .once('response', resolve)
      .once('error', reject)
      .end(body)
  })
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
}

function pairs(raw: readonly string[]): [name: string, value: string][] {
  const found: [string, string][] = []
  for (let i = 0; i + 1 < raw.length; i += 2) found.push([raw[i] ?? '', raw[i + 1] ?? ''])
  return found
}
