import {
  encodeComment,
  encodeEvent,
  encodeRetry,
  type EventFields,
  type ParsedEvent,
  type ProtocolError,
} from '@millrace/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cut, utf8 } from './support/chunks.ts'
import { record } from './support/recorder.ts'
import { anyLine, anyText } from './support/streams.ts'
import { thrownBy } from './support/thrown-by.ts'

const fields: fc.Arbitrary<EventFields> = fc.record(
  {
    id: anyLine,
    event: anyLine,
    topic: anyLine,
    retryMs: fc.nat(2 ** 31 - 1),
    data: anyText,
  },
  { requiredKeys: [] },
)

const places = fc.array(fc.nat(1000), { maxLength: 8 })

describe('what the encoder accepts, the parser gives back', () => {
  test('[MR-ENC-1] for any events, comments and reconnection times between', () => {
    const block = fc.oneof(
      { weight: 4, arbitrary: fields.map((event) => ({ event })) },
      { weight: 1, arbitrary: anyText.map((comment) => ({ comment })) },
      { weight: 1, arbitrary: fc.nat(100_000).map((retryMs) => ({ retryMs })) },
    )
    fc.assert(
      fc.property(fc.array(block, { maxLength: 6 }), places, (blocks, cuts) => {
        const expected = {
          events: [] as ParsedEvent[],
          retries: [] as number[],
          comments: [] as string[],
          lastEventId: '',
        }
        let stream = ''
        for (const part of blocks) {
          if ('event' in part) {
            stream += encodeEvent(part.event)
            expected.lastEventId = part.event.id?.toWellFormed() ?? expected.lastEventId
            if (part.event.retryMs !== undefined) expected.retries.push(part.event.retryMs)
            if (part.event.data !== undefined) expected.events.push(eventOf(part.event, expected.lastEventId))
          } else if ('comment' in part) {
            stream += encodeComment(part.comment)
            expected.comments.push(...normal(part.comment).split('\n'))
          } else {
            stream += encodeRetry(part.retryMs)
            expected.retries.push(part.retryMs)
          }
        }
        expect(record(cut(utf8(stream), ...cuts))).toMatchObject(expected)
      }),
      { seed: 7, numRuns: 3000 },
    )
  })
})

describe('nothing that goes in can add a line', () => {
  test('[MR-ENC-3] whatever the fields hold, they are refused or stay in their lines', () => {
    const hostile = fc.record({ id: anyText, event: anyText, topic: anyText, data: anyText }, { requiredKeys: [] })
    fc.assert(
      fc.property(hostile, ({ id = '', event = '', topic = '', data }) => {
        const breaks = /[\r\n]/.test(id + event + topic) || id.includes('\0')
        const thrown = thrownBy(() => encodeEvent({ id, event, topic, data }))
        expect((thrown as ProtocolError | undefined)?.code).toBe(breaks ? 'invalid_field' : undefined)
        // What does not break the stream is looked at, line for line.
        const lines = breaks
          ? ['id: ', 'event: ', 'topic: ', '', '']
          : encodeEvent({ id, event, topic, data }).split('\n')
        expect(lines.splice(-2)).toEqual(['', ''])
        const names = lines.map((line) => /^(id|event|topic|data): [^\r\n]*$/.exec(line)?.[1])
        const dataLines = breaks || data === undefined ? [] : normal(data).split('\n')
        expect(names).toEqual(['id', 'event', 'topic', ...dataLines.map(() => 'data')])
      }),
      { seed: 8, numRuns: 3000 },
    )
  })

  test('[MR-ENC-7] a comment stays a comment', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const lines = encodeComment(text).split('\n')
        expect(lines.splice(-2)).toEqual(['', ''])
        for (const line of lines) expect(line).toMatch(/^: [^\r\n]*$/)
        const { events, ids, retries } = record([utf8(encodeComment(text))])
        expect([events, ids, retries]).toEqual([[], [], []])
      }),
      { seed: 9, numRuns: 1000 },
    )
  })
})

function eventOf({ event = '', topic, data = '' }: EventFields, lastEventId: string): ParsedEvent {
  return {
    type: event === '' ? 'message' : event.toWellFormed(),
    data: normal(data),
    lastEventId,
    topic: topic?.toWellFormed(),
  }
}

/** A text as it arrives: with one kind of line end, and nothing that UTF-8 cannot carry. */
function normal(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n').toWellFormed()
}
