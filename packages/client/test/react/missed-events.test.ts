/** Who is told of a gap when nobody fetches the state anew: the same with the hooks as with `connect`. */
import { connect, type StreamOptions } from '@millrace/client'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { SharedStreams } from '../../src/react/shared-streams.ts'
import { ReferenceHub } from '../stream/support/reference-hub.ts'
import { settle, TestClock } from '../stream/support/test-clock.ts'

const URL_OF_HUB = 'http://hub.test/events'

/** What is told, and by whom, of a stream that begins with a gap. Handlers are there before it, or not. */
async function tellOfGap(isReact: boolean, options: StreamOptions, told: string[], listens: boolean) {
  const clock = new TestClock()
  const hub = new ReferenceHub(clock)
  const all: StreamOptions = { fetch: hub.fetch, clock, fraction: () => 0.5, lastId: 'nonsense', ...options }
  vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => {
    void Promise.resolve()
      .then(callback)
      .catch((error: unknown) => told.push(`uncaught ${String(error)}`))
  })
  onTestFinished(() => void vi.restoreAllMocks())
  const streams = new SharedStreams({ connect, clock, graceMs: 1 })
  if (isReact) onTestFinished(streams.use('', URL_OF_HUB, { options: all, onChange() {} }))
  const stream = isReact ? streams.handle('').stream : connect(URL_OF_HUB, all)
  onTestFinished(() => stream?.close())
  stream?.on('message', () => told.push('event'))
  // Who has listened, and does not any more, is told nothing.
  stream?.on('stream:sync-required', () => told.push('nobody'))()
  if (listens) stream?.on('stream:sync-required', ({ data }) => told.push(`listener ${data.reason}`))
  await settle()
  hub.publish('a', 1)
  await settle()
  expect(stream?.diagnostics().missedCount).toBe(1)
}

describe.each([
  ['connect', false],
  ['the hooks', true],
])('with %s', (_, isReact) => {
  test('a gap that nobody is told of is an uncaught error', async () => {
    const told: string[] = []
    await tellOfGap(isReact, {}, told, false)
    expect(told).toEqual([expect.stringMatching(/^uncaught ClientError: Events were missed \(unknown_id\)/), 'event'])
  })

  test('a gap is told to onError', async () => {
    const told: string[] = []
    await tellOfGap(isReact, { onError: ({ code }) => told.push(code) }, told, false)
    expect(told).toEqual(['missed', 'event'])
  })

  test('a gap is told to who listens for it, and then to nobody else', async () => {
    const told: string[] = []
    await tellOfGap(isReact, { onError: ({ code }) => told.push(code) }, told, true)
    expect(told).toEqual(['listener unknown_id', 'event'])
  })

  test('onSync is told of a gap, and who listens for it too', async () => {
    const told: string[] = []
    const onSync = (reason: string): void => void told.push(`sync ${reason}`)
    await tellOfGap(isReact, { onSync, onError: ({ code }) => told.push(code) }, told, true)
    expect(told).toEqual(['sync unknown_id', 'listener unknown_id', 'event'])
  })
})
