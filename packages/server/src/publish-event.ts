import { parseTopic, ProtocolError, RESERVED_PREFIX } from '@millrace/protocol'
import { HubError } from './hub-error.ts'
import type { NewEvent } from './log.ts'

/** Event types and the data that goes with each. */
export type EventMap = Record<string, unknown>

/** An event to publish. With an event map, `type` and `data` belong together. */
export type PublishEvent<Events extends EventMap = EventMap> = string extends keyof Events
  ? { readonly topic: string; readonly type?: string | undefined; readonly data: unknown }
  : { [T in keyof Events & string]: { readonly topic: string; readonly type: T; readonly data: Events[T] } }[keyof Events & string]

const encoder = new TextEncoder()
const RESERVED_TYPES = new Set(['open', 'error'])

/**
 * Checks an event and makes it ready for the log.
 *
 * @throws HubError `invalid_event` or `too_large`
 */
export function newEvent(event: PublishEvent, maxEventBytes: number): NewEvent {
  const topic = topicOf(event.topic)
  if (event.type !== undefined) checkType(event.type)
  const isText = typeof event.data === 'string'
  const data = isText ? (event.data as string).toWellFormed() : jsonOf(event.data)
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

function checkType(type: unknown): void {
  const fault = typeFault(type)
  if (fault) throw new HubError('invalid_event', `type is ${shown(type)}: ${fault}.`)
}

function typeFault(type: unknown): string | undefined {
  if (typeof type !== 'string') return 'it must be a string'
  if (type === '') return 'it must not be empty; leave it out for "message"'
  if (type.length > 256) return 'it must not be longer than 256 characters'
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(type)) return 'it must not have line breaks or other control characters'
  if (!type.isWellFormed()) return 'it must be valid Unicode'
  if (type.startsWith(RESERVED_PREFIX)) return `the prefix ${RESERVED_PREFIX} belongs to the stream itself`
  if (RESERVED_TYPES.has(type)) return 'a native EventSource fires an event of its own under this name'
  return undefined
}

function jsonOf(value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (error) {
    throw new HubError('invalid_event', `data cannot be written as JSON: ${String(error)}.`, { cause: error })
  }
  if (text === undefined) {
    throw new HubError('invalid_event', `data is ${shown(value)}; it must be a string or a JSON value (null is one).`)
  }
  return text
}

function checkSize(text: string, maxEventBytes: number): void {
  const { byteLength } = encoder.encode(text)
  if (byteLength <= maxEventBytes) return
  throw new HubError(
    'too_large',
    `The event has ${byteLength} bytes, more than maxEventBytes (${maxEventBytes}). Send a reference and let clients fetch the rest.`,
  )
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
