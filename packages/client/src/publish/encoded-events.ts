import { ClientError } from '../client-error.ts'
import type { OutgoingEvent } from './publish-options.ts'

/** As many go as one array, of which all are stored or none; more go one a line, and are stored in groups. */
export const MAX_ATOMIC_EVENTS = 100
/**
 * The most that a hub takes as one array. As lines it takes more, but many a proxy does not; and what is sent by less at once
 * is answered in time over a slow connection too.
 */
const MAX_BODY_BYTES = 1024 * 1024
/** The most lines that a hub takes in one request. */
const MAX_LINES = 10_000

/** An event as it is sent. */
export interface EncodedEvent {
  readonly json: string
  /** In UTF-8, with what parts it from the next. */
  readonly bytes: number
  /** Whether it may be sent twice. */
  readonly hasKey: boolean
}

/** @throws ClientError `invalid_option` for what is no event, or cannot be written as JSON */
export function encodeEvents(events: readonly OutgoingEvent[], dedupe: boolean): readonly EncodedEvent[] {
  const encoder = new TextEncoder()
  return events.map((event, i) => {
    try {
      const sent = dedupe ? withKey(event) : event
      const json = JSON.stringify(sent)
      return { json, bytes: encoder.encode(json).length + 1, hasKey: sent.dedupeKey !== undefined }
    } catch (cause) {
      throw new ClientError('invalid_option', `Event ${i} cannot be sent as JSON: ${String(cause)}`, { cause })
    }
  })
}

/** Whether they go as one array. One event always does: it is for the hub to say what is too large. */
export function fitOneArray(events: readonly EncodedEvent[]): boolean {
  if (events.length > MAX_ATOMIC_EVENTS) return false
  let bytes = 1
  for (const event of events) bytes += event.bytes
  return events.length === 1 || bytes <= MAX_BODY_BYTES
}

/** As many as one request can have, one a line; one at the least. */
export function linesOfOneRequest(events: readonly EncodedEvent[], from: number): readonly EncodedEvent[] {
  let to = from
  let bytes = 0
  do bytes += events[to++]?.bytes ?? 0
  while (to < events.length && to - from < MAX_LINES && bytes + (events[to]?.bytes ?? 0) <= MAX_BODY_BYTES)
  return events.slice(from, to)
}

function withKey(event: OutgoingEvent): OutgoingEvent {
  if (event.dedupeKey !== undefined || event.ephemeral) return event
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return { ...event, dedupeKey: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('') }
}
