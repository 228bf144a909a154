import type { Position, Topic } from '@millrace/protocol'
import type { EventContent, NewEvent, StoredEvent } from '@millrace/server'
import type { EventColumns, EventExtra, NewEventColumns, NewEventExtra, Place } from './messages.ts'

const CHECK_LENGTH = 3

/** Text as it is in a file of UTF-8: a lone surrogate has no form there, and becomes U+FFFD. */
export function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed()
}

/** What is given to the worker; the checks are three characters for each event. */
export function toColumns(events: readonly NewEvent[], checks: string): NewEventColumns {
  const columns: NewEventColumns = { topics: [], types: [], json: [], data: [], checks, extras: [] }
  for (const [at, event] of events.entries()) {
    columns.topics.push(event.topic)
    columns.types.push(event.type)
    columns.json.push(event.json === true)
    columns.data.push(event.data)
    const extra = extraOf(event, at)
    if (extra) columns.extras.push(extra)
  }
  return columns
}

export function toEvents(columns: EventColumns, epoch: string): StoredEvent[] {
  const { seqs, timesMs, topics, types, json, data, checks, extras } = columns
  const events = seqs.map((seq, i) => {
    const position = { epoch, seq, check: checks.slice(i * CHECK_LENGTH, (i + 1) * CHECK_LENGTH) }
    const type = types[i] ?? undefined
    const event = { topic: topics[i] as Topic, data: data[i] ?? '', type, json: json[i] === true }
    return storedOf(event, position, timesMs[i] ?? 0)
  })
  for (const { at, ...extra } of extras) {
    const event = events[at]
    if (event) events[at] = { ...event, ...extra }
  }
  return events
}

/** A new event as it is stored. */
export function toStored(event: NewEvent, position: Position, timeMs: number): StoredEvent {
  const stored = storedOf(event, position, timeMs)
  return hasExtra(event) ? { ...stored, ...contentExtraOf(event) } : stored
}

export function positionIn(epoch: string, { seq, check }: Place): Position {
  return { epoch, seq, check }
}

/** An event with the fields that it has, and no others. */
function storedOf(
  { topic, type, data, json }: { topic: Topic; type?: string | undefined; data: string; json?: boolean },
  position: Position,
  timeMs: number,
): StoredEvent {
  return {
    topic,
    data,
    position,
    timeMs,
    ...(type === undefined ? undefined : { type }),
    ...(json === true ? { json } : undefined),
  }
}

function hasExtra({ key, except, end }: EventContent): boolean {
  return key !== undefined || except !== undefined || end !== undefined
}

function extraOf(event: NewEvent, at: number): NewEventExtra | undefined {
  const { dedupeKey } = event
  if (dedupeKey === undefined && !hasExtra(event)) return undefined
  return { at, ...contentExtraOf(event), ...(dedupeKey === undefined ? undefined : { dedupeKey }) }
}

function contentExtraOf({ key, except, end }: EventContent): Omit<EventExtra, 'at'> {
  return {
    ...(key === undefined ? undefined : { key }),
    ...(except === undefined ? undefined : { except }),
    ...(end === undefined ? undefined : { end }),
  }
}
