import { parseTopic, ProtocolError } from '@millrace/protocol'
import { isClientName, MAX_CLIENT_NAME_LENGTH } from './client-name.ts'
import { eventData } from './event-data.ts'
import { checkEventType } from './event-type.ts'
import { HubError } from './hub-error.ts'
import type { NewEvent } from './log.ts'
import { utf8Length } from './memory/utf8-length.ts'
import { nearestName } from './nearest-name.ts'
import { shown } from './shown.ts'

/** Event types and the data that goes with each; without a map of your own, a type or an interface, any. */
export type EventMap = Record<string, unknown>

/** What an event may say besides its topic, type and data. */
export interface PublishFields {
  /** What a state topic keeps the newest of. At most 256 bytes of UTF-8. @default '' */
  readonly key?: string | undefined
  /**
   * Only for those who are live now: it has no id, no place among the events that are kept, and is dropped for who is
   * behind. Not together with `key`, `dedupeKey` or `end`. @default false
   */
  readonly ephemeral?: boolean | undefined
  /**
   * The same key from the same publisher within the backend's `dedupeWindowMs` answers with the first event's id and
   * publishes nothing. 1 to 256 bytes of UTF-8. @default none
   */
  readonly dedupeKey?: string | undefined
  /** The `client` name that is not sent this event. 1 to 128 characters, no control characters. @default none */
  readonly except?: string | undefined
  /** The topic is finished after this event; publishing to it again opens it again. @default false */
  readonly end?: boolean | undefined
}

/** An event to publish. With an event map, `type` and `data` belong together. */
export type PublishEvent<Events extends object = EventMap> = PublishFields &
  (string extends keyof Events
    ? { readonly topic: string; readonly type?: string | undefined; readonly data: unknown }
    : {
        [T in keyof Events & string]: { readonly topic: string; readonly type: T; readonly data: Events[T] }
      }[keyof Events & string])

/** An event that was checked. */
export interface CheckedEvent {
  readonly event: NewEvent
  /** For those who are live now: not for the log. */
  readonly ephemeral: boolean
}

const FIELDS = ['topic', 'type', 'data', 'key', 'ephemeral', 'dedupeKey', 'except', 'end']
const KNOWN_FIELDS: ReadonlySet<string> = new Set(FIELDS)
const MAX_KEY_BYTES = 256

/**
 * Checks an event and makes it ready for the log.
 *
 * @throws HubError `invalid_event` or `too_large`
 */
export function newEvent(input: PublishEvent, maxEventBytes: number): CheckedEvent {
  checkFields(input)
  const { key, dedupeKey, except } = input
  const topic = topicOf(input.topic)
  if (input.type !== undefined) checkEventType(input.type)
  if (key !== undefined) checkKey('key', key, 0)
  if (dedupeKey !== undefined) checkKey('dedupeKey', dedupeKey, 1)
  if (except !== undefined) checkClientName(except)
  const end = flagOf('end', input.end)
  const ephemeral = flagOf('ephemeral', input.ephemeral)
  if (ephemeral) checkEphemeral(input)
  const data = eventData(input.data)
  const event: NewEvent = {
    topic,
    data,
    ...(input.type === undefined ? {} : { type: input.type }),
    ...(typeof input.data === 'string' ? {} : { json: true }),
    ...(key === undefined ? {} : { key }),
    ...(except === undefined ? {} : { except }),
    ...(end ? { end } : {}),
    ...(dedupeKey === undefined ? {} : { dedupeKey }),
  }
  checkSize(event, maxEventBytes)
  return { event, ephemeral }
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

function checkKey(name: 'key' | 'dedupeKey', key: unknown, minBytes: number): void {
  const mend = `it must be a string of ${minBytes} to ${MAX_KEY_BYTES} bytes of UTF-8`
  if (typeof key !== 'string') throw new HubError('invalid_event', `${name} is ${shown(key)}; ${mend}.`)
  if (!key.isWellFormed()) {
    throw new HubError(
      'invalid_event',
      `${name} ${shown(key)} has half of a surrogate pair, which is no text; ${mend}.`,
    )
  }
  const bytes = utf8Length(key)
  if (bytes >= minBytes && bytes <= MAX_KEY_BYTES) return
  throw new HubError('invalid_event', `${name} ${shown(key)} has ${bytes} bytes; ${mend}.`)
}

function checkClientName(name: unknown): void {
  if (isClientName(name)) return
  const mend = `it must be the name of a client: 1 to ${MAX_CLIENT_NAME_LENGTH} characters, none of them a control character`
  throw new HubError('invalid_event', `except is ${shown(name)}; ${mend}.`)
}

function flagOf(name: 'ephemeral' | 'end', value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false
  throw new HubError('invalid_event', `${name} is ${shown(value)}; it must be true or false.`)
}

/** An ephemeral event is sent and forgotten, so it can make none of the promises that need a memory. */
function checkEphemeral({ key, dedupeKey, end }: PublishEvent): void {
  const refuse = (what: string): never => {
    throw new HubError('invalid_event', `An ephemeral event cannot have ${what}. Leave one of the two out.`)
  }
  if (key !== undefined) refuse('a key: it is not kept, so it is not the newest value of anything')
  if (dedupeKey !== undefined) refuse('a dedupeKey: it has no id to answer with when it comes again')
  if (end === true) refuse('end: it is not kept, so who comes later could not learn that the topic is finished')
}

function checkSize(
  { topic, type = '', data, key = '', except = '', dedupeKey = '' }: NewEvent,
  maxEventBytes: number,
): void {
  const length = topic.length + type.length + data.length + key.length + except.length + dedupeKey.length
  // Three bytes of UTF-8 for each UTF-16 unit at the most: the exact count is only worth its cost near the limit.
  if (length * 3 <= maxEventBytes) return
  let bytes = 0
  for (const text of [topic, type, data, key, except, dedupeKey]) bytes += utf8Length(text)
  if (bytes <= maxEventBytes) return
  throw new HubError(
    'too_large',
    `The event has ${bytes} bytes, more than maxEventBytes (${maxEventBytes}). Send a reference and let clients fetch the rest.`,
  )
}

/** A field that is not known must not be ignored: with a typo in its name a promise would be lost. */
function checkFields(event: unknown): void {
  if (typeof event !== 'object' || event === null) {
    throw new HubError('invalid_event', `The event is ${shown(event)}; it must be an object with topic and data.`)
  }
  for (const name of Object.keys(event)) if (!KNOWN_FIELDS.has(name)) throw unknownField(name)
}

function unknownField(name: string): HubError {
  const near = nearestName(name, FIELDS)
  const hint = near === undefined ? '' : ` Did you mean ${shown(near)}?`
  return new HubError('invalid_event', `An event has no field ${shown(name)}.${hint} It has ${FIELDS.join(', ')}.`)
}
