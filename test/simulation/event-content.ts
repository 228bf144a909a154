import type { StoredEvent, SubscribeRequest } from '@millrace/server'
import type { Block } from './reference-parser.ts'
import { must } from './violation.ts'

type Look = Pick<SubscribeRequest, 'nameBy' | 'envelope'>

/** §4: a block says what the log has, in the look that was asked for. Line ends of data arrive as LF. */
export function checkContent(block: Block, id: string, event: StoredEvent, look: Look): void {
  const fault = contentFault(block, id, event, look)
  must(fault === undefined, '§4', () => `event ${id} ${fault}`)
}

/** In what a block differs from an event; undefined when it does not. `id`: the one that the envelope is to have. */
export function contentFault(
  block: Block,
  id: string | null,
  event: Omit<StoredEvent, 'position'>,
  { nameBy, envelope }: Look,
): string | undefined {
  const type = event.type ?? 'message'
  const name = nameBy === 'topic' ? event.topic : type
  if ((block.type || 'message') !== name) return `is named ${block.type}, not ${name}`
  if (block.topic !== event.topic) return `is on ${block.topic}, not ${event.topic}`
  const value: unknown = event.json ? JSON.parse(event.data) : event.data
  const time = new Date(event.timeMs).toISOString()
  const expected = envelope
    ? JSON.stringify({ id, topic: event.topic, type, time, data: value })
    : event.data.replaceAll(/\r\n?/g, '\n')
  const got = envelope ? JSON.stringify(JSON.parse(block.data ?? 'null')) : block.data
  return got === expected ? undefined : `has data ${JSON.stringify(got)}, not ${JSON.stringify(expected)}`
}

/** The number by which a value of a state topic or an ephemeral event is known, whether it has an id or not. */
export function numberOf(block: Block, { envelope }: Look, name: 'value' | 'blip'): number | undefined {
  let said: unknown
  try {
    said = JSON.parse(block.data ?? 'null')
  } catch {
    return undefined
  }
  const data = envelope ? (said as { data?: unknown } | null)?.data : said
  const number = (data as Record<string, unknown> | null | undefined)?.[name]
  return typeof number === 'number' ? number : undefined
}
