import type { SyncReason } from '@millrace/protocol'
import type { MissedNotice } from './event-feed.ts'
import { parseJson } from './parse-json.ts'

/** An object of JSON from elsewhere: nothing is known of its fields. */
export type Said = Readonly<Record<string, unknown>>

/** Reads the data of a control event (`docs/protocol.md`, section 7); what is no object says nothing. */
export function readSaid(text: string): Said {
  // Of a string or a number no field is looked at that it has.
  return Object(parseJson(text)) as Said
}

/** @param from the id that was asked for */
export function missedNotice({ reason, oldest }: Said, from: string): MissedNotice {
  return { reason: reason as SyncReason, from, oldest: typeof oldest === 'string' ? oldest : '' }
}
