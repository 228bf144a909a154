import { checkHandlerOptions, type Authorizer, type FetchHandler, type StreamHandlerOptions } from '@millrace/server'
import type { Context } from 'hono'
import { keepVary } from './keep-vary.ts'
import { handOver, nodeObjects, type NodeHandler } from './node-objects.ts'

/** What has streams: a hub. With `handler`, as those of `@millrace/node` have, Node's own objects are written to. */
export interface StreamSource {
  fetchHandler(options?: StreamHandlerOptions): FetchHandler
  handler?(options?: StreamHandlerOptions<unknown>): NodeHandler
}

/** Options of {@link streams}. */
export interface StreamsOptions<Asked extends Context = Context> {
  /** Decides who gets a stream, from Hono's context. @default everybody may see all topics but users' own */
  readonly authorize?: (context: Asked) => ReturnType<Authorizer>
  /** Is told of faults that the client is answered 500 for, such as what `authorize` throws. @default they are dropped */
  readonly onError?: (error: unknown, context: string) => void
}

/** A handler for a route of Hono's. */
export type StreamRoute<Asked extends Context = Context> = (context: Asked) => Promise<Response>

/**
 * The handler for a hub's streams, on every platform of Hono's. On Node, with a hub of `@millrace/node`, the bytes go
 * past the web streams, straight to the socket; headers that middleware sets after `next()` then come too late.
 *
 * @example
 * app.get('/events', streams(hub, { authorize: (context) => grantFor(context.req.header('authorization')) }))
 * @throws HubError `invalid_option`
 */
export function streams<Asked extends Context = Context>(
  hub: StreamSource,
  given: StreamsOptions<Asked> = {},
): StreamRoute<Asked> {
  checkHandlerOptions(given)
  const { authorize, ...told } = given
  return async (context) => {
    const options = authorize ? { ...told, authorize: () => authorize(context) } : told
    const node = hub.handler && nodeObjects(context.env)
    if (hub.handler && node) return handOver(node, context.res.headers, hub.handler(options))
    return keepVary(context, await hub.fetchHandler(options)(context.req.raw, context.env))
  }
}

/** A web-standard handler as one of Hono's: for a channel, `app.get('/news', fetchRoute(channel.subscribe))`. */
export function fetchRoute(handle: FetchHandler): StreamRoute {
  return async (context) => keepVary(context, await handle(context.req.raw, context.env))
}
