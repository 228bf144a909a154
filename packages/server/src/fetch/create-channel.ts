import { HubBroadcaster, type Broadcaster, type ChannelOptions } from '../broadcaster.ts'
import { fetchHandler, type FetchHandler } from './fetch-handler.ts'

/** A broadcaster behind a web-standard server. */
export interface Channel extends Broadcaster {
  /** Answers with a stream: `fetch: (request, server) => channel.subscribe(request, server)`. Never rejects. */
  readonly subscribe: FetchHandler
}

/** Makes a channel. @throws HubError `invalid_option` */
export function createChannel(options: ChannelOptions = {}): Channel {
  return new FetchChannel(options)
}

class FetchChannel extends HubBroadcaster implements Channel {
  readonly subscribe: FetchHandler = fetchHandler(this.hub, { authorize: () => this.grant })
}
