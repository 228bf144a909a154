import { EventStreamParser, ProtocolError, type EventStreamHandlers, type ParsedEvent } from '@millrace/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cut, drip, utf8 } from './support/chunks.ts'
import { record } from './support/recorder.ts'
import { parseWhole } from './support/reference-parser.ts'
import { streamBytes } from './support/streams.ts'
import { thrownBy } from './support/thrown-by.ts'

describe('[MR-PARSE-15] a new connection', () => {
  test('keeps the last event id and nothing else', () => {
    const { parser, events } = start()
    parser.push(utf8('id: 1\ndata: a\n\nid: 2\nevent: x\ntopic: t\ndata: b\ndata: half a li'))
    parser.reset()
    expect(parser.lastEventId).toBe('1')
    parser.push(utf8('data: c\n\n'))
    expect(events).toEqual([event('a', '1'), event('c', '1')])
  })

  test.each([
    ['half a character', Uint8Array.of(...utf8('data: '), 0xe2, 0x82)],
    ['a CR that waits for its LF', utf8('data: a\r')],
    ['half a BOM', Uint8Array.of(0xef, 0xbb)],
    ['a BOM', Uint8Array.of(0xef, 0xbb, 0xbf)],
    ['a long line in many parts', utf8(`data: ${'x'.repeat(10_000)}`)],
  ])('starts afresh after %s', (_what, bytes) => {
    const { parser, events } = start()
    for (const chunk of cut(bytes, 5, 4000, 9000)) parser.push(chunk)
    parser.reset()
    parser.push(Uint8Array.of(0xef, 0xbb, 0xbf, ...utf8('\ndata: b\n\n')))
    expect(events).toEqual([event('b', '')])
  })

  test('can start from an id that was kept elsewhere', () => {
    const { parser, events } = start({}, { lastEventId: '7' })
    expect(parser.lastEventId).toBe('7')
    parser.push(utf8('data: a\n\nid\ndata: b\n\n'))
    expect(events).toEqual([event('a', '7'), event('b', '')])
  })

  test.each(['onEvent', 'onId', 'onRetry', 'onComment'] as const)(
    'may be started by %s, and the rest of the chunk is dropped',
    (name) => {
      const events: ParsedEvent[] = []
      let resets = 0
      const handlers: EventStreamHandlers = {
        onEvent: (parsed) => events.push(parsed),
        [name](said: unknown) {
          if (name === 'onEvent') events.push(said as ParsedEvent)
          if (resets++ === 0) parser.reset()
        },
      }
      const parser = new EventStreamParser(handlers)
      parser.push(utf8('id: 1\nretry: 5\n: c\ndata: a\n\nid: 2\ndata: b\n\ndata: c\n\nevent: x\nda'))
      expect(events).toEqual(name === 'onEvent' ? [event('a', '1')] : [])
      expect(parser.lastEventId).toBe(name === 'onEvent' || name === 'onId' ? '1' : '')
      parser.push(utf8('ta: d\ndata: e\n\n'))
      expect(events.at(-1)).toEqual(event('e', parser.lastEventId))
    },
  )

  test('started by a handler at the end of a line that came in parts drops the rest of the chunk too', () => {
    const events: string[] = []
    const parser = new EventStreamParser({
      onEvent({ data }) {
        events.push(data)
        parser.reset()
      },
    })
    parser.push(utf8('data: a\r\n'))
    parser.push(utf8('\r'))
    parser.push(utf8('\ndata: b\n\n'))
    parser.push(utf8('data: c'))
    parser.push(utf8('\n\ndata: d\n\n'))
    // The LF after the reset is a blank line of the new stream.
    expect(events).toEqual(['a', 'b', 'c'])
  })
})

describe('[MR-PARSE-16] limits', () => {
  const fits = 'data: 34567890'
  const cases = [
    ['a line of the limit', `${fits}\n\n`, undefined],
    ['a line of the limit, ended by CRLF', `${fits}\r\n\r\n`, undefined],
    ['a line past it', `${fits}1\n\n`, 'line_too_long'],
    ['a comment past it', `:${fits}\n\n`, 'line_too_long'],
    ['an unknown line past it', `x${fits}\n\n`, 'line_too_long'],
    ['a line past it, in bytes and not in characters', 'data: 345678é0\n\n', 'line_too_long'],
    ['a line past it without its end', `${fits}1`, 'line_too_long'],
    ['a line of the limit without its end', fits, undefined],
  ] as const

  test.each(cases)('%s', (_name, text, error) => {
    const bytes = utf8(`data: a\n\n${text}`)
    for (const chunks of [drip(bytes), ...Array.from(bytes.keys(), (place) => cut(bytes, place))]) {
      const said = record(chunks, { maxLineBytes: fits.length })
      expect(said.error).toBe(error)
      expect(said.events[0]).toEqual(event('a', ''))
    }
  })

  test.each([
    ['data of the limit', 'data: 1234567890\n\n', undefined],
    ['data past it', 'data: 12345678901\n\n', 'event_too_large'],
    ['lines with their LF of the limit', 'data: 123\ndata: 567\ndata: 90\n\n', undefined],
    ['lines with their LF past it', 'data: 123\ndata: 567\ndata: 901\n\n', 'event_too_large'],
    ['empty lines of the limit', `${'data\n'.repeat(11)}\n`, undefined],
    ['empty lines past it', `${'data\n'.repeat(12)}\n`, 'event_too_large'],
    ['data past it without its end', 'data: 12345678901\n', 'event_too_large'],
    ['characters of the limit', 'data: éé€é1\n\n', undefined],
    ['characters past it', 'data: éé€é12\n\n', 'event_too_large'],
    ['characters of four bytes of the limit', 'data: 😀😀12\n\n', undefined],
    ['characters of four bytes past it', 'data: 😀😀\ndata: é\n\n', 'event_too_large'],
    ['other fields, which have the limit of lines', 'event: 12345678901\ndata: 1\n\n', undefined],
  ] as const)('%s', (_name, text, error) => {
    const bytes = utf8(`id: 1\ndata: a\n\n${text}`)
    for (const chunks of [[bytes], drip(bytes), ...Array.from(bytes.keys(), (place) => cut(bytes, place))]) {
      const said = record(chunks, { maxEventBytes: 10 })
      expect(said.error).toBe(error)
      expect(said.events.slice(0, 1)).toEqual([event('a', '1')])
      expect(said.events).toHaveLength(error || !text.endsWith('\n\n') ? 1 : 2)
      expect(said.lastEventId).toBe('1')
    }
  })

  test('hold for any stream under any cut', () => {
    const limits = fc.record({
      maxLineBytes: fc.integer({ min: 1, max: 60 }),
      maxEventBytes: fc.integer({ min: 1, max: 60 }),
    })
    fc.assert(
      fc.property(streamBytes, limits, fc.array(fc.nat(300), { maxLength: 6 }), (bytes, options, cuts) => {
        const whole = Uint8Array.of(...bytes, 10)
        expect(record(cut(whole, ...cuts), options)).toEqual(parseWhole(whole, options))
      }),
      { seed: 5, numRuns: 3000 },
    )
  })

  test('an error is thrown again until reset, which makes the parser good again', () => {
    const { parser, events } = start({}, { maxLineBytes: 20 })
    const long = utf8('id: 1\ndata: a\n\nid: 2\ndata: 012345678901234\ndata: b\n\n')
    const error = thrownBy(() => parser.push(long))
    expect(error).toBeInstanceOf(ProtocolError)
    expect(error).toMatchObject({ code: 'line_too_long', message: expect.stringContaining('20 bytes') })
    expect(thrownBy(() => parser.push(utf8('data: c\n\n')))).toBe(error)
    expect(thrownBy(() => parser.push(new Uint8Array(0)))).toBe(error)
    expect(parser.lastEventId).toBe('1')
    parser.reset()
    parser.push(utf8('data: d\n\n'))
    expect(events).toEqual([event('a', '1'), event('d', '1')])
  })

  test.each([0, -1, 1.5, Number.NaN, Infinity, 2 ** 28 + 1, '10' as unknown as number])('%s is no limit', (bytes) => {
    for (const name of ['maxLineBytes', 'maxEventBytes']) {
      const error = thrownBy(() => start({}, { [name]: bytes }))
      expect(error).toMatchObject({ code: 'invalid_option', message: expect.stringContaining(`${name} is ${bytes}`) })
    }
  })

  test('16 MiB are the default for both', () => {
    const mebibyte = new Uint8Array(2 ** 20).fill(120)
    const chunks = [utf8('data: '), ...Array.from({ length: 15 }, () => mebibyte), mebibyte.subarray(6)]
    expect(record([...chunks, utf8('\n\n')]).events[0]?.data).toHaveLength(2 ** 24 - 6)
    expect(record([...chunks, utf8('x')]).error).toBe('line_too_long')
    expect(record([...chunks, utf8('\ndata: 12345\n\n')]).events[0]?.data).toHaveLength(2 ** 24)
    expect(record([...chunks, utf8('\ndata: 123456\n\n')]).error).toBe('event_too_large')
  })
})

describe('a handler that throws', () => {
  test('stops the parser with its error until reset', () => {
    const failure = new Error('the handler failed')
    const seen: string[] = []
    const parser = new EventStreamParser({
      onEvent({ data }) {
        seen.push(data)
        if (data === 'b') throw failure
      },
    })
    expect(thrownBy(() => parser.push(utf8('data: a\n\nid: 1\ndata: b\n\ndata: c\n\n')))).toBe(failure)
    expect(thrownBy(() => parser.push(utf8('data: d\n\n')))).toBe(failure)
    // The event was handed out, so its id counts.
    expect(parser.lastEventId).toBe('1')
    parser.reset()
    parser.push(utf8('data: e\n\n'))
    expect(seen).toEqual(['a', 'b', 'e'])
  })

  test('after it has reset the parser leaves it usable', () => {
    let thrown = false
    const { parser, events } = start({
      onComment() {
        parser.reset()
        if (!thrown) {
          thrown = true
          throw new Error('once')
        }
      },
    })
    expect(() => parser.push(utf8(': c\ndata: a\n\n'))).toThrow('once')
    parser.push(utf8('data: b\n\n'))
    expect(events).toEqual([event('b', '')])
  })
})

test('the chunk may be reused at once', () => {
  const { parser, events } = start()
  const chunk = new Uint8Array(64)
  for (const text of ['data: on', 'e\n\nid: 1\nda', 'ta: two and some more\n\n']) {
    const { written } = new TextEncoder().encodeInto(text, chunk)
    parser.push(chunk.subarray(0, written))
    chunk.fill(33)
  }
  expect(events).toEqual([event('one', ''), event('two and some more', '1')])
})

function start(
  handlers: Partial<EventStreamHandlers> = {},
  options = {},
): { parser: EventStreamParser; events: ParsedEvent[] } {
  const events: ParsedEvent[] = []
  return { parser: new EventStreamParser({ onEvent: (parsed) => events.push(parsed), ...handlers }, options), events }
}

function event(data: string, lastEventId: string): ParsedEvent {
  return { type: 'message', data, lastEventId, topic: undefined }
}
