import type { PublishEvent } from '@millrace/server'
import { describe, expect, test } from 'vitest'
import { EphemeralQueue } from '../src/ephemeral-queue.ts'
import { startScene, type Scene, type Stream } from './support/hub-scene.ts'
import { parseTopic } from '@millrace/protocol'

const STATE = { match: 's.>', kind: 'state' } as const
const CAPPED = { ...STATE, maxRatePerSecond: 10 } as const

async function send({ hub, settle }: Scene, ...events: readonly PublishEvent[]): Promise<void> {
  await hub.publish(events)
  await settle(hub.limits.flushIntervalMs)
}

function datas(stream: Stream): string[] {
  return stream.events().map(({ data }) => data)
}

describe('state topics', () => {
  test('a stream begins with the newest value of each key, oldest first and without ids, whatever it asks for', async () => {
    const scene = await startScene({}, [STATE])
    await send(
      scene,
      { topic: 's.a', key: 'x', data: 1 },
      { topic: 's.a', key: 'y', data: 2 },
      { topic: 's.b', data: null },
      { topic: 's.a', key: 'x', data: 3 },
      { topic: 'log', data: 'old' },
    )
    const stream = await scene.open('s.a,s.b,log')
    expect(datas(stream)).toEqual(['2', 'null', '3'])
    expect(stream.transport.text).not.toMatch(/id: [^\n]+\n(?:event: [^\n]+\n)?topic: s\./)
    expect(datas(await scene.open('>', { from: 'earliest' }))).toEqual(
      expect.arrayContaining(['2', 'null', '3', 'old']),
    )
    expect(datas(await scene.open('s.*', { types: ['other'] }))).toEqual([])
  })

  test('who is here gets each new value; who comes back gets what has changed', async () => {
    const scene = await startScene({}, [STATE])
    const stream = await scene.open('s.a')
    await send(scene, { topic: 's.a', key: 'x', data: 1 })
    await send(scene, { topic: 's.a', key: 'x', data: 2 })
    expect(datas(stream)).toEqual(['1', '2'])
    const lastEventId = stream.events().at(-1)?.lastEventId ?? ''
    await send(scene, { topic: 's.a', key: 'x', data: 3 }, { topic: 's.a', key: 'z', data: 4 })
    const back = await scene.open('s.a', { lastEventId })
    expect(datas(back).slice(-2)).toEqual(['3', '4'])
  })

  test('of a key that changes too often the first and the newest value are sent, no sooner than the rate allows', async () => {
    const scene = await startScene({}, [CAPPED])
    const stream = await scene.open('s.a')
    for (const data of [1, 2, 3]) await send(scene, { topic: 's.a', key: 'x', data })
    expect(datas(stream)).toEqual(['1'])
    await scene.settle(100)
    expect(datas(stream)).toEqual(['1', '3'])
    await scene.settle(100)
    await send(scene, { topic: 's.a', key: 'x', data: 4 })
    expect(datas(stream)).toEqual(['1', '3', '4'])
  })

  test('the end of a topic is not held back, and brings what was', async () => {
    const scene = await startScene({}, [CAPPED])
    const stream = await scene.open('s.a,s.b')
    await send(scene, { topic: 's.a', key: 'x', data: 1 }, { topic: 's.a', key: 'y', data: 1 })
    await send(scene, { topic: 's.a', key: 'x', data: 2 })
    await send(scene, { topic: 's.a', key: 'y', data: 3, end: true })
    expect(datas(stream)).toEqual(['1', '1', '2', '3'])
    expect(stream.types()).toContain('stream:end')
  })

  test('when everybody has left, no value waits for anybody', async () => {
    const scene = await startScene({}, [CAPPED])
    const stream = await scene.open('s.a')
    await send(scene, { topic: 's.a', data: 1 })
    await send(scene, { topic: 's.a', data: 2 })
    stream.transport.destroy()
    stream.transport.settle()
    await scene.settle(1_000)
    expect(datas(await scene.open('s.a'))).toEqual(['2'])
  })

  test('a reader in the process gets the newest values first', async () => {
    const scene = await startScene({}, [STATE])
    await send(scene, { topic: 's.a', key: 'x', data: 1 }, { topic: 's.a', key: 'x', data: 2 })
    const leaving = new AbortController()
    const read: unknown[] = []
    const reading = (async () => {
      for await (const event of scene.hub.subscribe({ topics: ['s.a'], signal: leaving.signal })) {
        if (event.kind === 'event') read.push(event.data)
      }
    })()
    await scene.settle()
    await send(scene, { topic: 's.a', key: 'x', data: 3 })
    leaving.abort()
    await reading
    expect(read).toEqual([2, 3])
  })
})

describe('a snapshot', () => {
  test('is the last event of each topic, and then what comes', async () => {
    const scene = await startScene()
    await scene.publish('a.1', 1, 2)
    await scene.publish('a.2', 3)
    const stream = await scene.open('a.*', { from: 'snapshot' })
    await scene.publish('a.1', 4)
    expect(datas(stream)).toEqual(['2', '3', '4'])
  })

  test('is given to a reader in the process, too', async () => {
    const scene = await startScene()
    await scene.publish('a.1', 1, 2)
    const leaving = new AbortController()
    const read: unknown[] = []
    const reading = (async () => {
      const events = scene.hub.subscribe({ topics: ['a.*'], from: 'snapshot', signal: leaving.signal })
      for await (const event of events) read.push(event.kind === 'event' ? event.data : event.kind)
    })()
    await scene.settle()
    await scene.publish('a.1', 3)
    leaving.abort()
    await reading
    expect(read).toEqual([2, 3])
  })
})

describe('ephemeral events', () => {
  test('reach who is live, without an id, and nobody who comes later', async () => {
    const scene = await startScene()
    const stream = await scene.open('a')
    await send(scene, { topic: 'a', type: 'typing', data: 'alice', ephemeral: true })
    expect(datas(stream)).toEqual(['alice'])
    expect(datas(await scene.open('a', { from: 'earliest' }))).toEqual([])
  })

  test('that wait for a pass are bounded: the oldest are dropped, and counted', () => {
    const queue = new EphemeralQueue()
    const event = (data: string) => ({ topic: parseTopic('a'), data, timeMs: 1 })
    for (let i = 0; i < 4_100; i++) queue.push(event(String(i)))
    expect([queue.dropped, queue.first(1)[0]?.event.data]).toEqual([4, '4'])
    queue.push(event('x'.repeat(4 * 1024 * 1024)))
    expect([queue.dropped, queue.first(5_000).length]).toEqual([4_100, 1])
    queue.clear()
    expect([queue.isEmpty, queue.first(1)]).toEqual([true, []])
  })

  test('are not sent to who published them, as log events are not', async () => {
    const scene = await startScene()
    const [me, you] = [await scene.open('a', { client: 'me' }), await scene.open('a', { client: 'you' })]
    await send(
      scene,
      { topic: 'a', data: 'log', except: 'me' },
      { topic: 'a', data: 'own', except: 'me', ephemeral: true },
      { topic: 'a', data: 'all' },
    )
    expect([datas(me), datas(you).toSorted()]).toEqual([['all'], ['all', 'log', 'own']])
  })

  test('the end of a topic is told to who is not sent its last event', async () => {
    const scene = await startScene()
    const me = await scene.open('a,b', { client: 'me' })
    await send(scene, { topic: 'a', data: 'last', except: 'me', end: true })
    expect([datas(me), me.types()]).toEqual([[], expect.arrayContaining(['stream:end'])])
  })
})
