import { createHub, memory, type HubOptions, type StreamHandlerOptions } from '@millrace/server'
import { afterEach, expect, test } from 'vitest'

const hub = createHub({ backend: memory() })
afterEach(() => hub.close({ drainMs: 0 }))

test('a hub without a backend says what it needs', () => {
  expect(() => createHub({} as HubOptions)).toThrow(
    expect.objectContaining({
      code: 'invalid_option',
      message: expect.stringContaining('createHub({ backend: memory() })'),
    }),
  )
})

test.each([
  [{ authorise: () => ({ subscribe: [] }) }, 'no option "authorise". Did you mean "authorize"?'],
  [{ authorize: { subscribe: ['a'] } }, 'authorize is an object; it must be a function'],
])('a handler that would let everybody in by mistake is refused: %j', (options, words) => {
  expect(() => hub.fetchHandler(options as StreamHandlerOptions)).toThrow(
    expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining(words) }),
  )
})

test('an option of a backend that is undefined is one that is not given, as it is of a hub', () => {
  const none: object = { topics: undefined, maxTopics: undefined, clock: undefined }
  expect(memory(none).topics).toEqual(memory().topics)
})
