import { HubError, memory, newEvent, type HubLimits } from '@millrace/server'
import { createHub } from './create-hub.ts'
import type { NodeRequest, NodeResponse } from './node-http.ts'
import { streamHandler, type StreamHandler } from './stream-handler.ts'

export interface ChannelOptions extends Partial<HubLimits> {
  /** How many events are kept for those who come back with `Last-Event-ID`. 1 to 1,000,000, or false. @default false */
  readonly historyCount?: number | false
}

/** What {@link Channel.broadcast} sends. */
export interface ChannelEvent {
  readonly type?: string
  /** A string goes as it is; any other value as JSON. */
  readonly data: unknown
}

/** A broadcaster: everybody who subscribes gets everything. A hub of one topic, in this process's memory. */
export interface Channel {
  /** How many streams are open. */
  readonly size: number
  /** Opens a stream on the response. Never rejects. */
  subscribe(request: NodeRequest, response: NodeResponse): Promise<void>
  /**
   * Sends an event to all who are here, and returns how many that are.
   *
   * @throws HubError `invalid_event`, `too_large`, `overloaded`, `closed`
   */
  broadcast(event: ChannelEvent): number
  /** Says farewell to all streams, over `drainMs`. May be called twice. */
  close(options?: { drainMs?: number }): Promise<void>
}

const TOPIC = 'channel'

/** Makes a channel. @throws HubError `invalid_option` */
export function createChannel(options: ChannelOptions = {}): Channel {
  const { historyCount = false, ...limits } = options
  return new HubChannel(historyCount, limits)
}

class HubChannel implements Channel {
  readonly #hub: ReturnType<typeof createHub>
  readonly #handle: StreamHandler
  #isClosed = false

  constructor(historyCount: number | false, limits: Partial<HubLimits>) {
    const keptCount = historyCount === false ? 1 : historyCount
    const backend = memory({
      topics: [{ match: TOPIC, retention: { maxCount: keptCount, maxAgeMs: false, maxBytes: false } }],
    })
    this.#hub = createHub({ ...limits, backend })
    this.#handle = streamHandler(this.#hub, { authorize: () => ({ subscribe: [TOPIC] }) })
  }

  get size(): number {
    return this.#hub.size
  }

  subscribe(request: NodeRequest, response: NodeResponse): Promise<void> {
    return this.#handle(request, response)
  }

  broadcast(event: ChannelEvent): number {
    const { limits, size, lagMs } = this.#hub
    const named = { ...event, topic: TOPIC }
    newEvent(named, limits.maxEventBytes)
    if (this.#isClosed) throw new HubError('closed', 'The channel is closed; nothing was sent.')
    if (lagMs > limits.maxLagMs) {
      throw new HubError(
        'overloaded',
        `Delivery lags behind by ${Math.round(lagMs)} ms; nothing was sent. Try again in a moment.`,
      )
    }
    // What could refuse it was looked at above: memory stores at once.
    void this.#hub.publish(named)
    return size
  }

  close(options?: { drainMs?: number }): Promise<void> {
    this.#isClosed = true
    return this.#hub.close(options)
  }
}
