import type { StoredEvent, SubscribeRequest } from '@millrace/server'
import type { Block } from './reference-parser.ts'
import { must } from './violation.ts'

/** §4: a block says what the log has, in the look that was asked for. Line ends of data arrive as LF. */
export function checkContent(
  block: Block,
  id: string,
  event: StoredEvent,
  { nameBy, envelope }: Pick<SubscribeRequest, 'nameBy' | 'envelope'>,
): void {
  const type = event.type ?? 'message'
  const name = nameBy === 'topic' ? event.topic : type
  must((block.type || 'message') === name, '§4', () => `event ${id} is named ${block.type}, not ${name}`)
  must(block.topic === event.topic, '§4', () => `event ${id} is on ${block.topic}, not ${event.topic}`)
  const value: unknown = event.json ? JSON.parse(event.data) : event.data
  const time = new Date(event.timeMs).toISOString()
  const expected = envelope
    ? JSON.stringify({ id, topic: event.topic, type, time, data: value })
    : event.data.replaceAll(/\r\n?/g, '\n')
  const got = envelope ? JSON.stringify(JSON.parse(block.data ?? 'null')) : block.data
  must(got === expected, '§4', () => `event ${id} has data ${JSON.stringify(got)}, not ${JSON.stringify(expected)}`)
}
