import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cut, utf8 } from './support/chunks.ts'
import { record, type Recording } from './support/recorder.ts'
import { streamText } from './support/streams.ts'

/**
 * Where `eventsource-parser` 4.1.3 and this parser say different things of one text, each with the clause that
 * decides. (It takes text: decoding bytes, and with it MR-PARSE-1, is its caller's.)
 */
const differences: readonly { clause: string; stream: string; ours: Partial<Recording>; theirs: Partial<Recording> }[] =
  [
    {
      // HTML §9.2.6 strips a leading U+FEFF. The characters U+00EF U+00BB U+00BF are no BOM, whatever bytes they remind of.
      clause: 'MR-PARSE-2',
      stream: '\u00ef\u00bb\u00bfdata: a\n\n',
      ours: { events: [] },
      theirs: { events: [{ type: 'message', data: 'a', lastEventId: '', topic: undefined }] },
    },
    {
      // HTML §9.2.6 sets no limit; ours is the greatest number that is still an integer.
      clause: 'MR-PARSE-12',
      stream: `retry: ${'9'.repeat(310)}\n`,
      ours: { retries: [Number.MAX_SAFE_INTEGER] },
      theirs: { retries: [Infinity] },
    },
  ]

describe('agreement with eventsource-parser', () => {
  test('on 10,000 generated streams', () => {
    fc.assert(
      fc.property(streamText, fc.array(fc.nat(300), { maxLength: 4 }), (text, cuts) => {
        const ours = record(cut(utf8(text), ...cuts))
        // The extension field is ours alone.
        expect(withoutTopics(ours)).toEqual(theirs(text))
      }),
      { seed: 6, numRuns: 10_000 },
    )
  })

  test.each(differences)('[$clause] differs on $stream', ({ stream, ours, theirs: expected }) => {
    expect(record([utf8(stream)])).toMatchObject(ours)
    expect(theirs(stream)).toMatchObject(expected)
  })
})

/** What the other parser says, in our words. */
function theirs(text: string): Recording {
  const said: Recording = { events: [], ids: [], retries: [], comments: [], lastEventId: '' }
  const parser = createParser({
    onEvent: ({ event = 'message', data }) => {
      said.events.push({ type: event, data, lastEventId: said.lastEventId, topic: undefined })
    },
    onId: (id) => {
      said.ids.push(id)
      said.lastEventId = id
    },
    onRetry: (retryMs) => said.retries.push(retryMs),
    onComment: (comment) => said.comments.push(comment),
  })
  parser.feed(text)
  return said
}

function withoutTopics(said: Recording): Recording {
  return { ...said, events: said.events.map((event) => ({ ...event, topic: undefined })) }
}
