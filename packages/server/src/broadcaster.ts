import { createHub, type Hub } from './hub.ts'
import { HubError } from './hub-error.ts'
import type { Grant } from './grant.ts'
import type { HubLimits } from './hub-options.ts'
import { memory } from './memory/memory-backend.ts'
import { newEvent } from './publish-event.ts'
import { shown } from './shown.ts'

export interface ChannelOptions extends Partial<HubLimits> {
  /** How many events are kept for those who come back with `Last-Event-ID`. 1 to 1,000,000, or false. @default false */
  readonly historyCount?: number | false
}

/** What {@link Broadcaster.broadcast} sends. */
export interface ChannelEvent {
  readonly type?: string
  /** A string goes as it is; any other value as JSON. */
  readonly data: unknown
}

/** Everybody who subscribes gets everything. A hub of one topic, in this process's memory. */
export interface Broadcaster {
  /** How many streams are open. */
  readonly size: number
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
const MAX_HISTORY_COUNT = 1_000_000

/** What the channels of all platforms have in common: all but how a stream is opened, which is their handler's. */
export class HubBroadcaster implements Broadcaster {
  readonly hub: Hub
  /** What everybody is granted. */
  readonly grant: Grant = { subscribe: [TOPIC] }
  #isClosed = false

  /** @throws HubError `invalid_option` */
  constructor({ historyCount = false, ...limits }: ChannelOptions) {
    const keptCount = historyCount === false ? 1 : historyCount
    if (!Number.isInteger(keptCount) || keptCount < 1 || keptCount > MAX_HISTORY_COUNT) {
      throw new HubError(
        'invalid_option',
        `historyCount is ${shown(historyCount)}; it must be a whole number from 1 to ${MAX_HISTORY_COUNT}, or false.`,
      )
    }
    const backend = memory({
      topics: [{ match: TOPIC, retention: { maxCount: keptCount, maxAgeMs: false, maxBytes: false } }],
    })
    this.hub = createHub({ ...limits, backend })
  }

  get size(): number {
    return this.hub.size
  }

  broadcast(event: ChannelEvent): number {
    const { limits, size, lagMs } = this.hub
    const named = { ...event, topic: TOPIC }
    checkFields(event)
    newEvent(named, limits.maxEventBytes)
    if (this.#isClosed) throw new HubError('closed', 'The channel is closed; nothing was sent.')
    if (lagMs > limits.maxLagMs) {
      throw new HubError(
        'overloaded',
        `Delivery lags behind by ${Math.round(lagMs)} ms; nothing was sent. Try again in a moment.`,
      )
    }
    // What could refuse it was looked at above: memory stores at once.
    void this.hub.publish(named)
    return size
  }

  close(options?: { drainMs?: number }): Promise<void> {
    this.#isClosed = true
    return this.hub.close(options)
  }
}

/** Whoever wants the rest of what an event may say needs a hub. */
function checkFields(event: ChannelEvent): void {
  const other = Object.keys(event ?? {}).find((name) => name !== 'type' && name !== 'data')
  if (other === undefined) return
  throw new HubError('invalid_event', `An event of a channel has no field ${shown(other)}: it has type and data.`)
}
