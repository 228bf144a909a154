import { decodeBase64, encodeBase64, encodeEvent } from '@millrace/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { utf8 } from './support/chunks.ts'
import { record } from './support/recorder.ts'
import { thrownBy } from './support/thrown-by.ts'

describe('[MR-ENC-8] binary data', () => {
  test('arrives as it was', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const [event] = record([utf8(encodeEvent({ data: encodeBase64(bytes) }))]).events
        expect(decodeBase64(event?.data ?? '')).toEqual(bytes)
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  test('is the base64 of everybody else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
      }),
      { seed: 2, numRuns: 500 },
    )
  })

  test.each([8189, 8190, 8191, 16_380, 100_001])('of %i bytes costs a third more', (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31) % 256)
    const text = encodeBase64(bytes)
    expect(text).toHaveLength(4 * Math.ceil(length / 3))
    expect(text).toBe(Buffer.from(bytes).toString('base64'))
    expect(decodeBase64(text)).toEqual(bytes)
  })

  test('may be folded and unpadded when it is read', () => {
    expect(decodeBase64('aGVs\nbG8')).toEqual(utf8('hello'))
  })

  test.each(['a', '-_', 'aGVsbG8==', 'é'])('is refused when it is not base64: %s', (text) => {
    const error = thrownBy(() => decodeBase64(text))
    expect(error).toMatchObject({
      code: 'invalid_base64',
      message: expect.stringContaining(JSON.stringify(text)),
      cause: expect.anything(),
    })
  })
})
