import type { Authorizer, StreamHandler, StreamHandlerOptions } from '@millrace/node'
import type { FastifyRequest } from 'fastify'
import { handOver, type HijackableReply, type RawRequest } from './hand-over.ts'

/** What has streams that Node serves: a hub of `@millrace/node`. */
export interface StreamSource {
  handler(options?: StreamHandlerOptions): StreamHandler
}

/** Options of {@link streams}. */
export interface StreamsOptions<Asked extends RawRequest = FastifyRequest> {
  /** Decides who gets a stream, from Fastify's request. @default everybody may see all topics but users' own */
  readonly authorize?: (request: Asked) => ReturnType<Authorizer>
  /** Is told of faults that the client is answered 500 for, such as what `authorize` throws. @default they are dropped */
  readonly onError?: (error: unknown, context: string) => void
}

/** A route handler; its types fit Fastify over HTTP/1 and HTTP/2. */
export type StreamRoute<Asked extends RawRequest = FastifyRequest> = (
  request: Asked,
  reply: HijackableReply,
) => Promise<void>

/**
 * The route handler for a hub's streams. The reply is taken out of Fastify's hands, with the headers that it has by then.
 *
 * @example
 * app.get('/events', streams(hub, { authorize: (request) => grantFor(request.headers.authorization) }))
 * @throws HubError `invalid_option`
 */
export function streams<Asked extends RawRequest = FastifyRequest>(
  hub: StreamSource,
  given: StreamsOptions<Asked> = {},
): StreamRoute<Asked> {
  // It checks the options, and is what serves where nobody has to be authorized.
  const handleAll = hub.handler(given as object)
  const { authorize, ...told } = given
  return async (request, reply) => {
    handOver(request, reply)
    const handle = authorize ? hub.handler({ ...told, authorize: () => authorize(request) }) : handleAll
    await handle(request.raw, reply.raw)
  }
}

/**
 * A handler of Node's as a route handler: for a channel, `app.get('/news', nodeRoute(channel.subscribe))`.
 */
export function nodeRoute(handle: StreamHandler): StreamRoute<RawRequest> {
  return async (request, reply) => {
    handOver(request, reply)
    await handle(request.raw, reply.raw)
  }
}
