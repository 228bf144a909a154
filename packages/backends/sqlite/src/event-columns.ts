import type { Position, Topic } from '@millrace/protocol'
import type { NewEvent, StoredEvent } from '@millrace/server'
import type { EventColumns, NewEventColumns, Place } from './messages.ts'

const CHECK_LENGTH = 3

/** Text as it is in a file of UTF-8: a lone surrogate has no form there, and becomes U+FFFD. */
export function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed()
}

/** What is given to the worker; the checks are three characters for each event. */
export function toColumns(events: readonly NewEvent[], checks: string): NewEventColumns {
  const columns: NewEventColumns = { topics: [], types: [], json: [], data: [], checks }
  for (const { topic, type, data, json } of events) {
    columns.topics.push(topic)
    columns.types.push(type)
    columns.json.push(json === true)
    columns.data.push(data)
  }
  return columns
}

export function toEvents(columns: EventColumns, epoch: string): StoredEvent[] {
  const { seqs, timesMs, topics, types, json, data, checks } = columns
  return seqs.map((seq, i) => {
    const position = { epoch, seq, check: checks.slice(i * CHECK_LENGTH, (i + 1) * CHECK_LENGTH) }
    const type = types[i] ?? undefined
    const event = { topic: topics[i] as Topic, data: data[i] ?? '', type, json: json[i] === true }
    return toStored(event, position, timesMs[i] ?? 0)
  })
}

/** An event with the fields that it has, and no others. */
export function toStored(
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

export function positionIn(epoch: string, { seq, check }: Place): Position {
  return { epoch, seq, check }
}
