import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { connect } from '../../src/stream/connect.ts'
import type { EventStream } from '../../src/stream/event-stream.ts'
import type { StreamOptions } from '../../src/stream/stream-options.ts'
import { SharedStreams } from '../../src/react/shared-streams.ts'
import { systemClock } from '../../src/clock.ts'
import { ReferenceHub } from '../stream/support/reference-hub.ts'

const URL_OF_HUB = 'http://hub.test/events'
type Events = { message: unknown }
/** Older runtimes of the supported ones have none. */
const hasLocks = 'locks' in navigator

function open(hub: ReferenceHub, options: StreamOptions): EventStream<Events> {
  const stream = connect<Events>(URL_OF_HUB, { fetch: hub.fetch, share: true, ...options })
  onTestFinished(() => stream.close())
  return stream
}

function notes(stream: EventStream<Events>): unknown[] {
  const data: unknown[] = []
  stream.on('message', (event) => data.push(event.data))
  return data
}

async function until(isTrue: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(isTrue()).toBe(true), { timeout: 10_000, interval: 5 })
}

describe('connect with share', () => {
  test.skipIf(!hasLocks)('shares by the locks and channels of the runtime, and lets all of them go', async () => {
    const hub = new ReferenceHub(systemClock)
    const [first, second] = [open(hub, { topics: ['a'] }), open(hub, { topics: ['b'] })]
    const [ofFirst, ofSecond] = [notes(first), notes(second)]
    await until(() => [first, second].some((stream) => stream.diagnostics().sharing === 'following'))
    expect(hub.streams).toHaveLength(1)
    hub.publish('a', 1)
    hub.publish('b', 2)
    await until(() => ofFirst.length === 1 && ofSecond.length === 1)
    expect([ofFirst, ofSecond]).toEqual([[1], [2]])
    const [leader, follower] = first.diagnostics().sharing === 'leading' ? [first, second] : [second, first]
    leader.close()
    await until(() => follower.diagnostics().sharing === 'leading' && follower.status.name === 'open')
    follower.close()
    await expect
      .poll(async () => {
        const { held = [], pending = [] } = await navigator.locks.query()
        return [...held, ...pending].length
      })
      .toBe(0)
  })

  test.skipIf(!hasLocks)('is shared by the hooks of several pages too', async () => {
    const hub = new ReferenceHub(systemClock)
    const pages = [1, 2].map(() => new SharedStreams({ connect, clock: systemClock, graceMs: 10 }))
    const user = { options: { topics: ['a'], share: true, fetch: hub.fetch }, onChange: () => {} }
    const leave = pages.map((page) => page.use('key', URL_OF_HUB, user))
    const roles = (): unknown[] => pages.map((page) => page.handle('key').stream?.diagnostics().sharing)
    await until(() => roles().includes('leading') && roles().includes('following'))
    expect(hub.streams).toHaveLength(1)
    for (const end of leave) end()
    await until(() => hub.streams.length === 0)
  })

  test.skipIf(!hasLocks)('overhears what others post on its channel', async () => {
    const hub = new ReferenceHub(systemClock)
    const [first, second] = [open(hub, { topics: ['a'] }), open(hub, { topics: ['b'] })]
    const ofSecond = notes(second)
    await until(() => [first, second].some((stream) => stream.diagnostics().sharing === 'following'))
    const locks = await navigator.locks.query()
    const [name = ''] = (locks.held ?? []).flatMap((lock) => /^millrace:1:.*\]/.exec(lock.name ?? '')?.[0] ?? [])
    const stranger = new BroadcastChannel(name)
    // What a listener throws, Node reports as an exception that nobody has caught.
    for (const message of [null, undefined, 0, 'text', {}, { kind: 'unknown' }]) {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has one origin, its own
      stranger.postMessage(message)
    }
    hub.publish('b', 1)
    await until(() => ofSecond.length > 0)
    expect(ofSecond).toEqual([1])
    stranger.close()
  })

  test('is a connection of its own where there are no locks, which is said to who debugs', async () => {
    vi.stubGlobal('navigator', {})
    onTestFinished(() => void vi.unstubAllGlobals())
    const hub = new ReferenceHub(systemClock)
    const lines: string[] = []
    const stream = open(hub, { topics: ['a'], debug: (line) => lines.push(line) })
    const data = notes(stream)
    await until(() => hub.streams.length === 1)
    hub.publish('a', 1)
    await until(() => data.length === 1)
    expect(lines.filter((line) => line.includes('not shared'))).toHaveLength(1)
    expect(stream.diagnostics().sharing).toBeUndefined()
  })

  test('can be closed while its code is loaded', async () => {
    const hub = new ReferenceHub(systemClock)
    const stream = open(hub, { topics: ['a'] })
    stream.close()
    expect(stream.status.name).toBe('closed')
    await vi.dynamicImportSettled()
    expect(hub.requests).toEqual([])
  })

  test('keeps the last id of each tab, and starts from there', async () => {
    const hub = new ReferenceHub(systemClock)
    const storage = new Map([['own', hub.idOf(0)]])
    hub.publish('a', 1)
    const persist = {
      key: 'own',
      storage: {
        getItem: (key: string) => storage.get(key) ?? null,
        setItem: (key: string, id: string) => void storage.set(key, id),
      },
    }
    const stream = open(hub, { topics: ['a'], persist })
    const data = notes(stream)
    await until(() => data.length === 1)
    stream.close()
    expect(storage.get('own')).toBe(hub.idOf(1))
  })
})
