import { expect, test } from 'vitest'
import { readPollOptions } from '../src/read-poll-options.ts'

const { signal } = new AbortController()

test.each([
  ['', { waitMs: 25_000, wantsAllValues: false }],
  ['wait=0', { waitMs: 0, wantsAllValues: false }],
  ['wait=60', { waitMs: 60_000, wantsAllValues: false }],
  ['wait=1.5&state=all', { waitMs: 1_500, wantsAllValues: true }],
])('?%s is read', (query, expected) => {
  expect(readPollOptions(new URLSearchParams(query), signal)).toEqual({ ...expected, signal })
})

test.each(['wait=61', 'wait=60.1', 'wait=-1', 'wait=1e1', 'wait=', 'wait=ten', 'state=', 'state=some'])(
  '?%s is refused, with what to do',
  (query) => {
    const [name] = query.split('=')
    expect(() => readPollOptions(new URLSearchParams(query), signal)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        message: expect.stringMatching(`^"${name}" is ".*"; .+\\.$`),
      }),
    )
  },
)
