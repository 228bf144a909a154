import { parseTopic, ProtocolError } from '@millrace/protocol'
import { eventData } from './event-data.ts'
import { checkEventType } from './event-type.ts'
import { HubError } from './hub-error.ts'
import type { NewEvent } from './log.ts'
import { nearestName } from './nearest-name.ts'
import { shown } from './shown.ts'

/** Event types and the data that goes with each. */
export type EventMap = Record<string, unknown>

/** An event to publish. With an event map, `type` and `data` belong together. */
export type PublishEvent<Events extends EventMap = EventMap> = string extends keyof Events
  ? { readonly topic: string; readonly type?: string | undefined; readonly data: unknown }
  : {
      [T in keyof Events & string]: { readonly topic: string; readonly type: T; readonly data: Events[T] }
    }[keyof Events & string]

const encoder = new TextEncoder()

const FIELDS = new Set(['topic', 'type', 'data'])

/**
 * Checks an event and makes it ready for the log.
 *
 * @throws HubError `invalid_event` or `too_large`
 */
export function newEvent(event: PublishEvent, maxEventBytes: number): NewEvent {
  checkFields(event)
  const topic = topicOf(event.topic)
  if (event.type !== undefined) checkEventType(event.type)
  const isText = typeof event.data === 'string'
  const data = eventData(event.data)
  const length = topic.length + (event.type?.length ?? 0) + data.length
  // Three bytes of UTF-8 for each UTF-16 unit at the most: the exact count is only worth its cost near the limit.
  if (length * 3 > maxEventBytes) checkSize(`${topic}${event.type ?? ''}${data}`, maxEventBytes)
  return { topic, data, ...(event.type === undefined ? {} : { type: event.type }), ...(isText ? {} : { json: true }) }
}

function topicOf(topic: unknown): NewEvent['topic'] {
  if (typeof topic !== 'string') {
    throw new HubError('invalid_event', `topic is ${shown(topic)}; it must be a string such as "stocks.AAPL".`)
  }
  try {
    return parseTopic(topic)
  } catch (error) {
    if (error instanceof ProtocolError) throw new HubError('invalid_event', error.message, { cause: error })
    throw error
  }
}

function checkSize(text: string, maxEventBytes: number): void {
  const { byteLength } = encoder.encode(text)
  if (byteLength <= maxEventBytes) return
  throw new HubError(
    'too_large',
    `The event has ${byteLength} bytes, more than maxEventBytes (${maxEventBytes}). Send a reference and let clients fetch the rest.`,
  )
}

/** A field that is not known must not be ignored: with a typo in its name a promise would be lost. */
function checkFields(event: unknown): void {
  if (typeof event !== 'object' || event === null) {
    throw new HubError('invalid_event', `The event is ${shown(event)}; it must be an object with topic and data.`)
  }
  for (const name of Object.keys(event)) {
    if (FIELDS.has(name)) continue
    const near = nearestName(name, [...FIELDS])
    const hint = near === undefined ? '' : ` Did you mean ${shown(near)}?`
    throw new HubError(
      'invalid_event',
      `An event has no field ${shown(name)}.${hint} It has ${[...FIELDS].join(', ')}.`,
    )
  }
}
