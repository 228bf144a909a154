import { ClientError } from '@millrace/client'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { SharedStreams, type StreamUser } from '../../src/react/shared-streams.ts'
import type { UseStreamOptions } from '../../src/react/stream-handle.ts'
import { settle } from '../stream/support/test-clock.ts'
import { fakeConnect, ManualClock, type FakeStream } from './support/fake-stream.ts'

const GRACE_MS = 1_000

class User implements StreamUser {
  options: UseStreamOptions
  changes = 0
  constructor(options: UseStreamOptions = {}) {
    this.options = options
  }
  onChange(): void {
    this.changes++
  }
}

function setUp() {
  const { connect, opened } = fakeConnect()
  const clock = new ManualClock()
  const streams = new SharedStreams({ connect, clock, graceMs: GRACE_MS })
  const use = (user: StreamUser = new User(), url = '/events'): (() => void) => streams.use(url, url, user)
  const only = (): FakeStream => {
    expect(opened).toHaveLength(1)
    return opened[0] as FakeStream
  }
  return { clock, streams, use, only, opened }
}

describe('one connection for a key', () => {
  test('is opened by its first user, and not by looking', () => {
    const { streams, use, opened } = setUp()
    expect(streams.handle('/events')).toMatchObject({ status: { name: 'connecting' }, stream: undefined })
    expect(opened).toEqual([])
    use()
    use()
    expect(opened).toHaveLength(1)
    use(new User(), '/others')
    expect(opened.map(({ url }) => url)).toEqual(['/events', '/others'])
  })

  test('is closed when its last user has been gone for the grace', () => {
    const { clock, streams, use, only } = setUp()
    const [leave, leaveToo] = [use(), use()]
    leave()
    clock.advance(GRACE_MS)
    expect(only().isClosed).toBe(false)
    leaveToo()
    clock.advance(GRACE_MS - 1)
    expect(only().isClosed).toBe(false)
    clock.advance(1)
    expect(only().isClosed).toBe(true)
    expect([streams.size, clock.timerCount]).toEqual([0, 0])
  })

  test('stays when somebody comes back in time, as in StrictMode', () => {
    const { clock, use, only } = setUp()
    use()()
    clock.advance(GRACE_MS - 1)
    const leave = use()
    expect(clock.timerCount).toBe(0)
    clock.advance(10 * GRACE_MS)
    expect(only().isClosed).toBe(false)
    leave()
    // Who leaves twice has left once.
    leave()
    clock.advance(GRACE_MS)
    expect(only().isClosed).toBe(true)
  })

  test('is opened anew after it was closed', () => {
    const { clock, use, opened } = setUp()
    use()()
    clock.advance(GRACE_MS)
    use()
    expect(opened.map(({ isClosed }) => isClosed)).toEqual([true, false])
  })

  test('that cannot be opened leaves nothing behind', () => {
    const { streams, use } = setUp()
    expect(() => use(new User(), 'bad:')).toThrow('url is bad:')
    expect(streams.size).toBe(0)
  })
})

describe('the handle', () => {
  test('is the same object until something changes, and all users are told', () => {
    const { streams, use, only } = setUp()
    const users = [new User(), new User()]
    for (const user of users) use(user)
    const before = streams.handle('/events')
    expect(streams.handle('/events')).toBe(before)
    const told = users.map(({ changes }) => changes)
    only().show({ name: 'open', transport: 'stream' })
    expect(streams.handle('/events')).not.toBe(before)
    expect(streams.handle('/events').status.name).toBe('open')
    expect(users.map(({ changes }, i) => changes - (told[i] ?? 0))).toEqual([1, 1])
  })

  test('of a stream that has failed is shown, and restarts it from the last id for all', () => {
    const { streams, use, opened } = setUp()
    const user = new User()
    use(user)
    const error = new ClientError('status', 'no')
    opened[0]?.show({ name: 'failed', error })
    expect(streams.handle('/events').status).toEqual({ name: 'failed', error })
    use()
    expect(opened).toHaveLength(1)
    streams.handle('/events').restart()
    expect(opened).toHaveLength(2)
    expect(opened[1]?.options.lastId).toBe('last of 1')
    expect(opened.map(({ isClosed }) => isClosed)).toEqual([true, false])
    expect(streams.handle('/events').status.name).toBe('connecting')
  })

  test('of a stream that is over is not handed to who comes when all have gone', () => {
    const { use, opened } = setUp()
    const leave = use()
    opened[0]?.show({ name: 'ended' })
    leave()
    use()
    expect(opened).toHaveLength(2)
  })

  test('does nothing when its stream was closed long ago', () => {
    const { clock, streams, use, opened } = setUp()
    const leave = use()
    const old = streams.handle('/events')
    leave()
    clock.advance(GRACE_MS)
    old.restart()
    expect(opened).toHaveLength(1)
  })
})

describe('functions of several users', () => {
  const signal = new AbortController().signal
  const notice = { from: '', oldest: '', signal }

  test('that observe are all called, as they were last given', async () => {
    const { use, only } = setUp()
    const calls: string[] = []
    const observer = (name: string): User =>
      new User({ onError: () => calls.push(`${name} error`), onSync: () => calls.push(`${name} sync`) })
    const [first, second] = [observer('a'), observer('b')]
    use(first)
    use(second)
    first.options = observer('new a').options
    only().options.onError?.(new ClientError('network', 'x'))
    await only().options.onSync?.('too_old', notice)
    expect(calls).toEqual(['new a error', 'b error', 'new a sync', 'b sync'])
  })

  test('that fetch the state anew are all waited for', async () => {
    const { use, only } = setUp()
    const gate = Promise.withResolvers<void>()
    use(new User({ onSync: () => {} }))
    use(new User({ onSync: () => gate.promise }))
    let isDone = false
    const syncing = Promise.resolve(only().options.onSync?.('too_old', notice)).then(() => (isDone = true))
    await Promise.resolve()
    expect(isDone).toBe(false)
    gate.resolve()
    await syncing
    expect(isDone).toBe(true)
  })

  test('without one that fetches the state, a gap is an error', async () => {
    const { use, only } = setUp()
    const errors: string[] = []
    use(new User({ onError: ({ code }) => errors.push(code) }))
    await only().options.onSync?.('too_old', notice)
    expect(errors).toEqual(['missed'])
  })

  test('without one for errors, what a handler throws is uncaught, and other errors are not', () => {
    const { use, only } = setUp()
    const later: (() => void)[] = []
    vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => void later.push(callback))
    onTestFinished(() => void vi.restoreAllMocks())
    use()
    only().options.onError?.(new ClientError('network', 'x'))
    only().options.onError?.(new ClientError('handler', 'x', { cause: new Error('thrown') }))
    expect(later).toHaveLength(1)
    expect(later[0]).toThrow('thrown')
  })

  test('that observe are all called although one of them throws or rejects, and that is told to onError', async () => {
    const { use, only } = setUp()
    const told: string[] = []
    const failing: UseStreamOptions = {
      onState: (): unknown => Promise.reject(new Error('rejected')),
      onAttempt: () => {
        throw new Error('thrown')
      },
      onError: () => {
        throw new Error('uncaught')
      },
    }
    use(new User(failing))
    use(
      new User({
        onState: ({ name }) => told.push(name),
        onAttempt: ({ attempt }) => told.push(String(attempt)),
        onError: ({ code, cause }) => told.push(`${code} ${String(cause)}`),
      }),
    )
    const later: (() => void)[] = []
    vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => void later.push(callback))
    onTestFinished(() => void vi.restoreAllMocks())
    only().options.onState?.({ name: 'open', transport: 'stream' })
    only().options.onAttempt?.({ attempt: 2, transport: 'stream', lastId: '' })
    await settle()
    expect(told).toEqual(['open', 'handler Error: thrown', '2', 'handler Error: rejected'])
    expect(later).toHaveLength(2)
    expect(later[0]).toThrow('uncaught')
  })

  test('that answer are those of the oldest user that is there', () => {
    const { use, only } = setUp()
    const parser = (name: string): User => new User({ parse: () => name })
    const [first, second] = [parser('a'), parser('b')]
    const leave = use(first)
    use(second)
    const parse = (): unknown => only().options.parse?.('', 'tick')
    expect(parse()).toBe('a')
    first.options = parser('new a').options
    expect(parse()).toBe('new a')
    leave()
    expect(parse()).toBe('b')
  })
})
