import type { NodeRequest, NodeResponse } from '@millrace/node'

/** Fastify's request, as far as it is used. */
export interface RawRequest {
  readonly raw: NodeRequest
}

/** Fastify's reply, as far as it is used. */
export interface HijackableReply {
  readonly raw: NodeResponse
  getHeaders(): Record<string, number | string | string[] | undefined>
  hijack(): unknown
}

/** Takes a reply out of Fastify's hands. What was set on it, such as CORS headers, would be lost: it goes along. */
export function handOver(reply: HijackableReply): void {
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
  reply.hijack()
}
