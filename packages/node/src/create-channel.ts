import { HubBroadcaster, type Broadcaster, type ChannelOptions } from '@millrace/server'
import type { NodeRequest, NodeResponse } from './node-http.ts'
import { streamHandler, type StreamHandler } from './stream-handler.ts'

/** A broadcaster: everybody who subscribes gets everything. A hub of one topic, in this process's memory. */
export interface Channel extends Broadcaster {
  /** Opens a stream on the response. Never rejects. */
  subscribe(request: NodeRequest, response: NodeResponse): Promise<void>
}

/** Makes a channel. @throws HubError `invalid_option` */
export function createChannel(options: ChannelOptions = {}): Channel {
  return new NodeChannel(options)
}

class NodeChannel extends HubBroadcaster implements Channel {
  readonly subscribe: StreamHandler = streamHandler(this.hub, { authorize: () => this.grant })
}
