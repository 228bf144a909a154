import { encodeComment, encodeEvent, encodeRetry, MAX_RETRY_MS, ProtocolError } from '@millrace/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeVectors } from './support/vectors.ts'
import { anyText } from './support/streams.ts'
import { thrownBy } from './support/thrown-by.ts'

test.each(encodeVectors.filter(({ error }) => error === undefined))('[$clause] $name', ({ fields, text }) => {
  expect(encodeEvent(fields)).toBe(text)
})

test.each(encodeVectors.filter(({ error }) => error !== undefined))('[$clause] $name', ({ fields, error, field }) => {
  const thrown = thrownBy(() => encodeEvent(fields))
  expect(thrown).toBeInstanceOf(ProtocolError)
  expect(thrown).toMatchObject({ code: error, message: expect.stringContaining(`The ${field} `) })
})

describe('[MR-ENC-3] a value that would break the stream', () => {
  test('is shown in the message, with what to do', () => {
    const { message } = thrownBy(() => encodeEvent({ event: 'a\nid: 7' })) as Error
    expect(message).toBe(
      String.raw`The event "a\nid: 7" has a line break, which would end the field: take it out or percent-encode it.`,
    )
  })

  test('is cut in the message when it is long', () => {
    const { message } = thrownBy(() => encodeEvent({ id: `${'x'.repeat(1e6)}\n` })) as Error
    expect(message.length).toBeLessThan(250)
  })

  test.each([7, null, ['a'], { toString: () => 'a' }])('is refused when it is no string: %j', (value) => {
    for (const field of ['id', 'event', 'topic', 'data']) {
      expect(thrownBy(() => encodeEvent({ [field]: value }))).toMatchObject({ code: 'invalid_field' })
    }
  })

  test('is refused when it shows each reader another text', () => {
    let looks = 0
    const value = { includes: () => false, toString: () => (looks++ > 0 ? 'a\ndata: b' : 'a') } as unknown as string
    expect(thrownBy(() => encodeEvent({ id: value }))).toMatchObject({ code: 'invalid_field' })
    expect(thrownBy(() => encodeEvent({ data: value }))).toMatchObject({ code: 'invalid_field' })
    expect(thrownBy(() => encodeComment(value))).toMatchObject({ code: 'invalid_field' })
  })
})

describe('[MR-ENC-4] only well-formed text goes out', () => {
  test('lone surrogates become U+FFFD in every field', () => {
    const fields = { id: '1\ud800', event: 'e\udc00', topic: '\udc00t', data: '\ud83da\n\ude00' }
    expect(encodeEvent(fields)).toBe('id: 1\ufffd\nevent: e\ufffd\ntopic: \ufffdt\ndata: \ufffda\ndata: \ufffd\n\n')
    expect(encodeComment('\ud83d\n\ude00')).toBe(': \ufffd\n: \ufffd\n\n')
  })

  test('whatever goes in', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect((encodeEvent({ data: text }) + encodeComment(text)).isWellFormed()).toBe(true)
      }),
      { seed: 1, numRuns: 2000 },
    )
  })
})

describe('[MR-ENC-6] a block that sets the reconnection time', () => {
  test('has one line and its end', () => {
    expect(encodeRetry(2750)).toBe('retry: 2750\n\n')
    expect(encodeRetry(MAX_RETRY_MS)).toBe('retry: 2147483647\n\n')
  })

  test.each([-1, 0.5, Number.NaN, Infinity, MAX_RETRY_MS + 1, '5\ndata: x' as unknown as number])(
    'is refused for %s',
    (retryMs) => {
      expect(thrownBy(() => encodeRetry(retryMs))).toMatchObject({ code: 'invalid_field' })
    },
  )
})

describe('[MR-ENC-7] a comment', () => {
  test.each([
    ['', ': \n\n'],
    ['hi', ': hi\n\n'],
    ['a\nb\rc\r\nd', ': a\n: b\n: c\n: d\n\n'],
    ['a\n\ndata: b', ': a\n: \n: data: b\n\n'],
  ])('%j', (text, block) => {
    expect(encodeComment(text)).toBe(block)
  })
})
