import type { NodeRequest, NodeResponse } from '@millrace/node'

/** Fastify's request, as far as it is used. */
export interface RawRequest {
  readonly raw: NodeRequest
  /** What Fastify has read and parsed; its own request has no body left then. */
  readonly body?: unknown
}

/** Fastify's reply, as far as it is used. */
export interface HijackableReply {
  readonly raw: NodeResponse
  getHeaders(): Record<string, number | string | string[] | undefined>
  hijack(): unknown
}

/**
 * Takes a request and its reply out of Fastify's hands. What was set on the reply, such as CORS headers, would be lost: it
 * goes along, as does the body that was read.
 */
export function handOver({ raw, body }: RawRequest, reply: HijackableReply): void {
  if (body !== undefined && body !== null) Object.assign(raw, { body })
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
  reply.hijack()
}
