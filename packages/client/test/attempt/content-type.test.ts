import { expect, test } from 'vitest'
import { isEventStream } from '../../src/attempt/content-type.ts'

const streams = [
  'text/event-stream',
  'TEXT/Event-Stream',
  ' text/event-stream ',
  'text/event-stream;',
  'text/event-stream;charset=windows-1252',
  'text/event-stream; charset="a,b;c"',
  'text/event-stream ; bogus',
  'text/html, text/event-stream',
  'text/html; a=",", text/event-stream; b=",;"',
  'text/event-stream, text/event-stream',
]
const others = [
  null,
  '',
  'text/event-streams',
  'text/event-stream2',
  'x-text/event-stream',
  'text/event_stream',
  'text /event-stream',
  'event-stream',
  'text/html',
  'application/json',
  'text/event-stream, text/html',
  'text/html; note="text/event-stream"',
  'text/html; note=", text/event-stream"',
  'text/event-stream\u00a0',
]

for (const contentType of streams) {
  test(`${JSON.stringify(contentType)} is an event stream`, () => expect(isEventStream(contentType)).toBe(true))
}
for (const contentType of others) {
  test(`${JSON.stringify(contentType)} is no event stream`, () => expect(isEventStream(contentType)).toBe(false))
}
