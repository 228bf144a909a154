import { createSession as createNodeSession, type Session, type SessionOptions } from '@millrace/node'
import { handOver, type HijackableReply, type RawRequest } from './hand-over.ts'

/**
 * Opens a stream on a reply: headers, a first comment, heartbeats, and clean-up when the client leaves. The reply is
 * taken out of Fastify's hands, with the headers that it has by then.
 *
 * @throws HubError `invalid_option`, when nothing can be sent any more
 */
export async function createSession(
  request: RawRequest,
  reply: HijackableReply,
  options?: SessionOptions,
): Promise<Session> {
  handOver(request, reply)
  return createNodeSession(request.raw, reply.raw, options)
}
