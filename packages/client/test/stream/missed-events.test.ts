import { expect, test } from 'vitest'
import { openScene } from './support/scene.ts'
import { settle } from './support/test-clock.ts'
import { uncaughtIn } from './support/uncaught.ts'

test('onSync is awaited before newer events are handed on, and before the id moves', async () => {
  let finish: (() => void) | undefined
  const stored: Record<string, string> = {}
  const storage = {
    getItem: (key: string) => stored[key] ?? null,
    setItem: (key: string, value: string) => void (stored[key] = value),
  }
  const { clock, hub, stream, data, statuses } = await openScene(
    {
      topics: ['a'],
      persist: { key: 'id', storage },
      lastId: 'e1-1-abc',
      onSync: () => new Promise<void>((resolve) => (finish = resolve)),
    },
    {
      prepare: (one) => {
        for (let i = 1; i <= 5; i++) one.publish('a', i)
        one.oldest = 4
      },
    },
  )
  hub.publish('a', 6)
  await clock.advance(1_000)
  expect(stream.status).toEqual({ name: 'syncing', reason: 'too_old', attempt: 1, error: undefined })
  expect(data()).toEqual([])
  expect(stream.lastId).toBe('e1-1-abc')
  expect(stored['id']).toBeUndefined()
  finish?.()
  await clock.advance(1_000)
  expect(data()).toEqual([6])
  expect(stream.lastId).toBe('e1-6-abc')
  expect(stored['id']).toBe('e1-6-abc')
  expect(statuses.map(({ name }) => name)).toEqual(['connecting', 'open', 'syncing', 'open'])
})

test('a connection that breaks meanwhile resumes from the old id only if the state was not fetched', async () => {
  let finish: (() => void) | undefined
  const { clock, hub, data } = await openScene(
    { topics: ['a'], lastId: 'e0-1-abc', onSync: () => new Promise<void>((resolve) => (finish = resolve)) },
    { prepare: (one) => one.publish('a', 1) },
  )
  hub.publish('a', 2)
  await settle()
  hub.cutStreams()
  hub.publish('a', 3)
  await clock.advance(10_000)
  // Nothing is asked for while the state is being fetched.
  expect(hub.requests).toHaveLength(1)
  finish?.()
  await clock.advance(10_000)
  expect(hub.requests.at(-1)?.headers.get('last-event-id')).toBe('e1-1-abc')
  expect(data()).toEqual([2, 3])
})

test('onSync that fails is called again with back-off, and the status says so', async () => {
  let calls = 0
  const { clock, errors, statuses, stream } = await openScene({
    lastId: 'nonsense',
    onSync: () => {
      if (++calls < 4) throw new Error(`no answer ${calls}`)
    },
  })
  await clock.advance(12_000)
  expect(calls).toBe(4)
  expect(errors.map(({ code }) => code)).toEqual(['sync', 'sync', 'sync'])
  expect(statuses.filter(({ name }) => name === 'syncing')).toMatchObject([
    { attempt: 1, error: undefined },
    { attempt: 2, error: { cause: { message: 'no answer 1' } } },
    { attempt: 3 },
    { attempt: 4 },
  ])
  expect(stream.status.name).not.toBe('syncing')
})

test('closing aborts what onSync does, and leaves no timer', async () => {
  let aborted = false
  const { clock, stream } = await openScene({
    lastId: 'nonsense',
    onSync: (_, { signal }) => {
      signal.addEventListener('abort', () => (aborted = true))
      throw new Error('away')
    },
  })
  stream.close()
  await settle()
  expect(aborted).toBe(true)
  expect(clock.timerCount).toBe(0)
})

test('without onSync a gap is an error that is told', async () => {
  const { errors, stream } = await openScene({ lastId: 'nonsense' })
  expect(errors).toMatchObject([{ code: 'missed' }])
  expect(stream.diagnostics().missedCount).toBe(1)
})

test('without onSync and onError a gap is an uncaught error: it is never silent', async () => {
  const uncaught = await uncaughtIn(() => openScene({ lastId: 'nonsense', onError: undefined }))
  expect(uncaught).toMatchObject([{ code: 'missed', message: expect.stringContaining('give onSync') }])
})

test('a gap is an event for who listens for it', async () => {
  const notices: unknown[] = []
  const { clock, errors, stream } = await openScene({ lastId: 'nonsense' }, { listen: false })
  stream.on('stream:sync-required', ({ data }) => void notices.push(data))
  await clock.advance(0)
  expect(errors).toEqual([])
  expect(notices).toEqual([{ reason: 'unknown_id', from: 'nonsense', oldest: 'e1-0-abc' }])
})
