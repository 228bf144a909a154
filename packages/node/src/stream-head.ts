import { joinVary, streamHeadersFor, type StreamHeaders } from '@millrace/server'
import type { NodeRequest, NodeResponse } from './node-http.ts'

/**
 * The headers of a stream for this response: those of every stream, `own` instead of them where they have the same
 * name, and with respect for what others have set: `Vary` is added to, and who wants the connection closed gets that.
 */
export function streamHead(request: NodeRequest, response: NodeResponse, own: StreamHeaders): Record<string, string> {
  const head: Record<string, string> = { ...streamHeadersFor(request.httpVersion) }
  for (const [name, value] of Object.entries(own)) {
    const standard = Object.keys(head).find((each) => each.toLowerCase() === name.toLowerCase())
    head[standard ?? name] = value
  }
  if (head['Vary'] !== undefined) head['Vary'] = varyBesides(response, head['Vary'])
  if (head['Connection'] !== undefined && wantsClose(request)) head['Connection'] = 'close'
  if (response.hasHeader('connection')) delete head['Connection']
  return head
}

/** A value of `Vary`, with what others have set for this response in front. */
export function varyBesides(response: NodeResponse, own: string): string {
  const vary = response.getHeader('vary')
  return vary === undefined ? own : joinVary(String(vary), own)
}

/** RFC 9112, 9.6: a server that was asked to close says that it will. */
function wantsClose(request: NodeRequest): boolean {
  return /(?:^|[\s,])close(?:$|[\s,])/i.test(request.headers.connection ?? '')
}
