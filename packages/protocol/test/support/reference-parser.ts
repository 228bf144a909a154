import type { ParsedEvent } from '@millrace/protocol'
import type { Recording } from './recorder.ts'

/** The buffers of the standard, and what goes with them. */
interface Buffers {
  data: string
  type: string
  topic: string | undefined
  id: string
  hasId: boolean
}

/**
 * HTML §9.2.6 as it is written, on a whole stream at once and with no thought of speed: what the incremental parser is
 * held against. Limits and the extension field `topic` follow docs/protocol.md.
 */
export function parseWhole(bytes: Uint8Array, limits = { maxLineBytes: Infinity, maxEventBytes: Infinity }): Recording {
  const said: Recording = { events: [], ids: [], retries: [], comments: [], lastEventId: '' }
  const buffers: Buffers = { data: '', type: '', topic: undefined, id: '', hasId: false }
  for (const line of wholeLines(bytes)) {
    if (line.byteLength > limits.maxLineBytes) return { ...said, error: 'line_too_long' }
    readLine(line.text, buffers, said)
    if (Buffer.byteLength(buffers.data) - 1 > limits.maxEventBytes) return { ...said, error: 'event_too_large' }
  }
  return said
}

/** The bytes of the longest line, finished or not; at least 1. */
export function longestLine(bytes: Uint8Array): number {
  return Math.max(1, ...wholeLines(Uint8Array.of(...bytes, 10)).map((line) => line.byteLength))
}

/** The lines that have an end, decoded after they are cut: a line end is never part of a character. */
function wholeLines(bytes: Uint8Array): { text: string; byteLength: number }[] {
  const latin1 = Buffer.from(bytes).toString('latin1')
  const lines = latin1.split(/\r\n|\r|\n/)
  lines.pop()
  return lines.map((line, i) => ({
    text: new TextDecoder('utf-8', { ignoreBOM: i > 0 }).decode(Buffer.from(line, 'latin1')),
    byteLength: line.length,
  }))
}

function readLine(line: string, buffers: Buffers, said: Recording): void {
  if (line === '') {
    dispatch(buffers, said)
    return
  }
  const colon = line.indexOf(':')
  const name = colon < 0 ? line : line.slice(0, colon)
  const rest = colon < 0 ? '' : line.slice(colon + 1)
  const value = rest.startsWith(' ') ? rest.slice(1) : rest
  if (colon === 0) said.comments.push(value)
  else if (name === 'event') buffers.type = value
  else if (name === 'data') buffers.data += `${value}\n`
  else if (name === 'topic') buffers.topic = value
  else if (name === 'id' && !value.includes('\0')) {
    buffers.id = value
    buffers.hasId = true
  } else if (name === 'retry' && /^[0-9]+$/.test(value)) {
    said.retries.push(Math.min(Number.parseInt(value, 10), Number.MAX_SAFE_INTEGER))
  }
}

function dispatch(buffers: Buffers, said: Recording): void {
  said.lastEventId = buffers.id
  if (buffers.hasId) said.ids.push(buffers.id)
  if (buffers.data !== '') {
    const event: ParsedEvent = {
      type: buffers.type === '' ? 'message' : buffers.type,
      data: buffers.data.slice(0, -1),
      lastEventId: said.lastEventId,
      topic: buffers.topic,
    }
    said.events.push(event)
  }
  Object.assign(buffers, { data: '', type: '', topic: undefined, hasId: false })
}
