import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { connect } from '../../src/stream/connect.ts'
import type { StreamOptions } from '../../src/stream/stream-options.ts'
import type { StreamStatus } from '../../src/stream/stream-status.ts'
import { ReferenceHub } from './support/reference-hub.ts'
import { openScene, URL_OF_HUB } from './support/scene.ts'
import { settle, TestClock } from './support/test-clock.ts'

const away = { prepare: (hub: { faultOf: unknown }) => void (hub.faultOf = () => ({ kind: 'network' })) }

describe('after close() nobody is called', () => {
  test('neither onError nor a handler, when onSync was under way', async () => {
    const calls: string[] = []
    const { stream, errors } = await openScene({
      lastId: 'nonsense',
      onSync: (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    })
    stream.on('stream:sync-required', () => void calls.push('handler'))
    await settle()
    expect(stream.status.name).toBe('syncing')
    stream.close()
    await settle()
    expect([calls, errors]).toEqual([[], []])
  })

  test('nor a handler after the one that closes', async () => {
    for (const transport of ['stream', 'polling'] as const) {
      const parsed: string[] = []
      const { clock, hub, stream, data } = await openScene({
        topics: ['a'],
        transport,
        parse: (text) => parsed.push(text),
      })
      await clock.advance(1_000)
      stream.on('message', () => stream.close())
      const late: unknown[] = []
      stream.on('message', (event) => void late.push(event))
      hub.publish('a', 1)
      hub.publish('a', 2)
      await clock.advance(10_000)
      // Who listens to all types comes after those who listen to one.
      expect([data(), late, clock.timerCount]).toEqual([[], [], 0])
      expect(parsed.length).toBeLessThanOrEqual(transport === 'polling' ? 1 : 2)
    }
  })

  test('nor a loop, when what was told of an event closes', async () => {
    for (const closer of ['parse', 'onError', 'debug'] as const) {
      let close = (): void => {}
      const { clock, hub, stream } = await openScene(
        {
          topics: ['a'],
          parse(text) {
            if (closer === 'parse') close()
            if (closer === 'onError') throw new Error(text)
            return text
          },
          onError: () => close(),
          debug: (line) => closer === 'debug' && line.includes(' event message') && close(),
        },
        { listen: false },
      )
      close = () => stream.close()
      const next = stream[Symbol.asyncIterator]().next()
      await settle()
      const { lastId } = stream
      hub.publish('a', 1)
      expect([closer, await next]).toEqual([closer, { done: true, value: undefined }])
      expect([stream.status.name, stream.lastId, clock.timerCount]).toEqual(['closed', lastId, 0])
    }
  })

  test('nor a loop, when the stream had ended before', async () => {
    for (const status of [204, 403]) {
      const { clock, hub, stream } = await openScene({ topics: ['a'] }, { listen: false })
      const reader = stream[Symbol.asyncIterator]()
      const next = reader.next()
      await settle()
      hub.publish('a', 1)
      hub.publish('a', 2)
      hub.publish('a', 3)
      expect((await next).value?.data).toBe(1)
      hub.faultOf = () => ({ kind: 'answer', status })
      hub.cutStreams()
      await clock.until(() => ['ended', 'failed'].includes(stream.status.name))
      expect((await reader.next()).value?.data).toBe(2)
      stream.close()
      expect(await reader.next()).toEqual({ done: true, value: undefined })
    }
  })

  test('and no request for topics that were wanted goes out', async () => {
    let close = (): void => {}
    const clock = new TestClock()
    const hub = new ReferenceHub(clock)
    const onState = ({ name }: StreamStatus): void => void (name === 'open' && close())
    const stream = connect(URL_OF_HUB, { fetch: hub.fetch, clock, topics: ['a'], onState })
    close = () => stream.close()
    const changed = stream.setTopics(['b'])
    await expect(changed).rejects.toMatchObject({ code: 'closed' })
    await settle()
    expect(hub.requests.filter(({ method }) => method === 'PUT')).toEqual([])
    expect(clock.timerCount).toBe(0)
  })

  test('and what a reader has not had is not taken for had, in the middle of an answer to a poll', async () => {
    const clock = new TestClock()
    const hub = new ReferenceHub(clock)
    for (const topic of ['a', 'a', 'a', 'b']) hub.publish(topic, 1)
    const options = { topics: ['a'], transport: 'polling', lastId: 'e1-0-abc' } as const
    const stream = connect(URL_OF_HUB, { fetch: hub.fetch, clock, ...options })
    let count = 0
    stream.on('message', () => void (++count === 3 && stream.close()))
    void stream[Symbol.asyncIterator]().next()
    await clock.until(() => stream.status.name === 'closed')
    await clock.advance(10_000)
    expect(hub.requests).toHaveLength(1)
    expect(stream.lastId).toBe('e1-0-abc')
  })

  test.each(['connecting', 'open', 'waiting'])('and nothing is left, when who hears of %s closes', async (name) => {
    let close = (): void => {}
    let asked = 0
    const { clock, stream, hub } = await openScene(
      {
        transport: 'polling',
        authorize: () => void asked++,
        onState: (status) => void (status.name === name && close()),
      },
      away,
    )
    close = () => stream.close()
    const seen: string[] = []
    stream.onStatus((status) => void seen.push(status.name))
    if (name !== 'waiting') hub.faultOf = () => undefined
    await clock.until(() => stream.status.name === 'closed')
    const [requests, calls] = [hub.requests.length, asked]
    expect(seen.at(-1)).toBe('closed')
    expect(seen).not.toContain(name)
    expect(clock.timerCount).toBe(0)
    await clock.advance(60_000)
    expect([hub.requests.length, asked]).toEqual([requests, calls])
  })
})

describe('a stream that has ended while events wait', () => {
  async function endedScene(options: StreamOptions = {}) {
    const { signal, abort } = withAbort()
    const scene = await openScene({ topics: ['a'], signal, ...options }, { listen: false })
    const reader = scene.stream[Symbol.asyncIterator]()
    const next = reader.next()
    await settle()
    for (const n of [1, 2, 3]) scene.hub.publish('a', n)
    expect((await next).value?.data).toBe(1)
    scene.hub.faultOf = () => ({ kind: 'answer', status: 204 })
    scene.hub.cutStreams()
    await scene.clock.until(() => scene.stream.status.name === 'ended')
    return { ...scene, reader, abort, listenerCount: () => getEventListeners(signal, 'abort').length }
  }

  function withAbort() {
    const controller = new AbortController()
    return { signal: controller.signal, abort: () => controller.abort() }
  }

  test('is closed by its signal, and listens to it no more', async () => {
    const { reader, stream, abort, listenerCount } = await endedScene()
    const { lastId } = stream
    abort()
    expect(await reader.next()).toEqual({ done: true, value: undefined })
    expect([stream.lastId, listenerCount()]).toEqual([lastId, 0])
  })

  test('listens to its signal until all is handed on, or nobody is there for it, or it is closed', async () => {
    const whole = await endedScene()
    expect(whole.listenerCount()).toBe(1)
    for (let n = 0; n < 3; n++) await whole.reader.next()
    const broken = await endedScene()
    await broken.reader.return?.()
    const closed = await endedScene()
    closed.stream.close()
    expect([whole, broken, closed].map((one) => one.listenerCount())).toEqual([0, 0, 0])
  })

  test('gives nothing to who comes after its signal was aborted, when nobody was there', async () => {
    const { reader, stream, abort } = await endedScene()
    await reader.return?.()
    abort()
    expect(await stream[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined })
  })

  test('keeps its last id at once, and leaves no timer', async () => {
    const written: string[] = []
    const storage = { getItem: () => null, setItem: (_key: string, id: string) => void written.push(id) }
    const { reader, stream, clock } = await endedScene({ persist: { key: 'k', storage } })
    await reader.next()
    expect([written.at(-1), stream.lastId, clock.timerCount]).toEqual(['e1-1-abc', 'e1-1-abc', 0])
    await reader.next()
    stream.close()
    expect([written.at(-1), clock.timerCount]).toEqual(['e1-2-abc', 0])
  })
})
