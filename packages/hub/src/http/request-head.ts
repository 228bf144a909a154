import { problem, type Problem } from '@millrace/node'
import type { IncomingMessage } from 'node:http'

/** RFC 9112, 3.2.2: a target that is a whole URL, as it is sent to a proxy. */
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)([^#]*)/i

/** What RFC 9112 has a server refuse and Node lets through, or refuses without a word; undefined for a request that may go on. */
export function headFault(request: IncomingMessage): Problem | undefined {
  const { httpVersion, headers } = request
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    return problem(505, `This is HTTP/${httpVersion} over a connection of HTTP/1; use HTTP/1.1.`)
  }
  const hosts = hostCount(request)
  if (hosts > 1) return problem(400, `The request has ${hosts} Host headers. Send one.`)
  if (hosts === 0 && httpVersion === '1.1') return problem(400, 'The request has no Host header. Send one.')
  const coding = headers['transfer-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    return problem(501, `Transfer-Encoding is ${JSON.stringify(coding.slice(0, 64))}; only "chunked" is understood.`)
  }
  const { expect } = headers
  if (expect !== undefined && !/(?:^|\W)100-continue(?:$|\W)/i.test(expect)) {
    return problem(417, `Expect is ${JSON.stringify(expect.slice(0, 64))}; only "100-continue" is understood.`)
  }
  return undefined
}

/** Makes an absolute target the path that it names; its authority then counts instead of `Host` (RFC 9112, 3.2.2). */
export function resolveTarget(request: IncomingMessage): void {
  const match = ABSOLUTE_FORM.exec(request.url ?? '')
  if (!match) return
  const [, authority = '', path = ''] = match
  request.url = path.startsWith('/') ? path : `/${path}`
  request.headers.host = authority
}

/** `headers` holds only the first of them. */
function hostCount({ rawHeaders }: IncomingMessage): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.length === 4 && rawHeaders[i]?.toLowerCase() === 'host') count++
  }
  return count
}
