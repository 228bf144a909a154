import type { EventId } from '@millrace/protocol'
import type { WireFrame } from './frame.ts'

/** An event as a poll answers it. */
export interface PolledEvent {
  /** Null for what vouches for no place in the log: values of state topics and events of a snapshot. */
  readonly id: EventId | null
  readonly topic: string
  /** `stream:end`: of the topic's last event, which the client does not want, only that it was the last. */
  readonly type: string
  /** Milliseconds since 1970. */
  readonly timeMs: number
  readonly data: string
  /** Whether `data` is the JSON text of a value that was not a string. */
  readonly json: boolean
  readonly key?: string
  /** The topic is finished. */
  readonly end?: true
}

/** What a poll is answered of a frame. */
export function polledEvent({ id, event, part }: WireFrame): PolledEvent {
  const { topic, type = 'message', timeMs, data, json = false, key, end } = event
  if (part === 'end-mark') {
    const said = JSON.stringify({ topic })
    return { id: id ?? null, topic, type: 'stream:end', timeMs, data: said, json: true, end: true }
  }
  return {
    id: id ?? null,
    topic,
    type,
    timeMs,
    data,
    json,
    ...(key === undefined ? {} : { key }),
    ...(end && part !== 'value' ? { end } : {}),
  }
}
