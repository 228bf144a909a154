import { createHub as createEngineHub, type EventMap, type Hub, type HubOptions } from '@millrace/server'
import { streamHandler, type StreamHandler, type StreamHandlerOptions } from './stream-handler.ts'

/** A hub whose streams are served by Node. */
export interface NodeHub<Events extends object = EventMap> extends Hub<Events> {
  /** The handler for `GET` of its streams: `app.get('/events', hub.handler({ authorize }))`. */
  handler(options?: StreamHandlerOptions): StreamHandler
}

/**
 * Makes a hub inside one's own Node server.
 *
 * @example
 * const hub = createHub<{ tick: { price: number } }>({ backend: memory() })
 * app.get('/events', hub.handler())
 * await hub.publish({ topic: 'stocks.AAPL', type: 'tick', data: { price: 187.2 } })
 * @throws HubError `invalid_option`
 */
export function createHub<Events extends object = EventMap>(options: HubOptions): NodeHub<Events> {
  const hub = createEngineHub<Events>(options)
  return Object.assign(hub, {
    handler: (handlerOptions?: StreamHandlerOptions) => streamHandler(hub as unknown as Hub, handlerOptions),
  })
}
