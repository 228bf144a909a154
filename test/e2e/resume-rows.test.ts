/** Who comes back with an id that is good, or with none, over real HTTP: he gets everything once, in order. */
import { describe, expect, test } from 'vitest'
import { CAUGHT_UP, CONNECTED, SMALL, SYNC_REQUIRED, count, replay, resume } from './support/resume-client.ts'
import { isPublished, json, openStream } from './support/stream-reader.ts'
import { numbers, startTestHub } from './support/test-hub.ts'

describe('an id that is in the log', () => {
  test('[MR-RES-1] inside the hot window: every matching event after it, then caught-up with their number, then live', async () => {
    const { hub, url, publish } = await startTestHub()
    const ids = await publish('a', numbers(1, 9))
    expect(hub.stats().hotWindowCount).toBe(9)
    const stream = await resume(url, ids[3])
    const blocks = await stream.until(CAUGHT_UP)
    expect(blocks.filter(isPublished).map(count)).toEqual([5, 6, 7, 8, 9])
    expect(json(blocks.at(-1))).toEqual({ replayed: 5 })
    expect(blocks.at(-1)?.id).toBe(ids[8])
    await publish('a', [10, 11])
    await stream.until((block) => count(block) === 11)
    expect(stream.events.map(count)).toEqual(numbers(5, 11))
  })

  test('[MR-RES-1] outside of the window: the same, page by page from the log, without losing what is published meanwhile', async () => {
    const { hub, url, publish } = await startTestHub({ ...SMALL, maxBufferBytes: 1_024 })
    const ids = await publish('a', numbers(1, 400))
    expect(hub.stats().hotWindowCount).toBeLessThan(20)
    const stream = await resume(url, ids[9])
    const isPublishing = publish('a', numbers(401, 600))
    await stream.until((block) => count(block) === 600)
    await isPublishing
    expect(stream.events.map(count)).toEqual(numbers(11, 600))
    expect(stream.all.filter(SYNC_REQUIRED)).toEqual([])
    expect(stream.all.filter(CAUGHT_UP)).toHaveLength(1)
  })

  test('[MR-CTL-5] the newest id: nothing is replayed, and caught-up says so', async () => {
    const { url, publish } = await startTestHub()
    const ids = await publish('a', numbers(1, 3))
    const stream = await resume(url, ids[2])
    const [caughtUp] = (await stream.until(CAUGHT_UP)).slice(-1)
    expect(stream.events).toEqual([])
    expect(caughtUp?.id).toBe(ids[2])
    expect(json(caughtUp)).toEqual({ replayed: 0 })
  })

  test('[MR-RES-12] only matching topics and types are replayed, and the id of caught-up covers the others', async () => {
    const { url, publish } = await startTestHub(SMALL)
    const [id] = await publish('a.x', [0])
    await publish('a.x', [1], 'tick')
    await publish('b.x', [2], 'tick')
    await publish('a.y', [3])
    await publish('a.z', [4], 'tick')
    const ids = await publish('b.x', numbers(5, 20), 'tick')
    const stream = await resume(`${url}?topic=a.*&type=tick`, id)
    const blocks = await stream.until(CAUGHT_UP)
    expect(blocks.filter(isPublished).map(count)).toEqual([1, 4])
    expect(blocks.at(-1)?.id).toBe(ids.at(-1))
  })

  test('resuming with every single id of a stream gives exactly what came after it', async () => {
    const { url, publish } = await startTestHub({ ...SMALL, hotWindowCount: 12 })
    const ids = await publish('a', numbers(1, 24))
    for (const [i, id] of ids.entries()) {
      expect(await replay(await resume(url, id))).toEqual(numbers(i + 2, 24))
    }
  })
})

describe('an evicted id, while no matching event after it was evicted', () => {
  test('[MR-RES-2] [MR-RES-11] a quiet topic beside a busy one gives no false alarm', async () => {
    const { url, publish } = await startTestHub(SMALL)
    const [id] = await publish('quiet', [1])
    await publish('busy.a', numbers(1, 100))
    await publish('quiet', [2])
    const stream = await resume(`${url}?topic=quiet`, id)
    expect(await replay(stream)).toEqual([2])
  })

  test('[MR-RES-2] the id of a busy topic that is long gone serves a reader of the quiet ones', async () => {
    const { url, publish } = await startTestHub(SMALL)
    const [id] = await publish('busy.a', [1])
    await publish('quiet.a', [2])
    await publish('busy.a', numbers(3, 50))
    await publish('quiet.b', [51])
    expect(await replay(await resume(`${url}?topic=quiet.>`, id))).toEqual([2, 51])
    expect(await replay(await resume(`${url}?topic=quiet.b,never`, id))).toEqual([51])
  })

  test('the id just before the oldest that is kept is not too old', async () => {
    const { url, publish } = await startTestHub(SMALL)
    const ids = await publish('busy.a', numbers(1, 50))
    expect(await replay(await resume(`${url}?topic=busy.a`, ids[39]))).toEqual(numbers(41, 50))
    const tooOld = await resume(`${url}?topic=busy.a`, ids[38])
    expect(json((await tooOld.until(SYNC_REQUIRED)).at(-1))).toMatchObject({ reason: 'too_old' })
  })
})

describe('no id', () => {
  test('[MR-RES-8] from=now, the default: what comes from now on', async () => {
    const { url, publish } = await startTestHub()
    await publish('a', numbers(1, 5))
    for (const query of ['', '?from=now', '?last_event_id=', '?last_event_id=&from=now']) {
      const stream = await openStream(url + query)
      const [connected] = (await stream.until(CONNECTED)).slice(-1)
      expect(connected?.id).toBeDefined()
      await publish('a', [6])
      expect(count(await stream.next())).toBe(6)
    }
  })

  test('[MR-RES-9] from=earliest: all that is kept, then caught-up, then live, and no alarm', async () => {
    const { url, publish } = await startTestHub(SMALL)
    await publish('busy.a', numbers(1, 50))
    const stream = await openStream(`${url}?from=earliest`)
    expect(await replay(stream)).toEqual(numbers(41, 50))
    await publish('busy.a', [51])
    expect(count(await stream.next())).toBe(51)
  })

  test('from=earliest on a hub without events: caught-up at once, with an id', async () => {
    const { url, publish } = await startTestHub()
    const stream = await openStream(`${url}?from=earliest`)
    const [caughtUp] = (await stream.until(CAUGHT_UP)).slice(-1)
    expect(json(caughtUp)).toEqual({ replayed: 0 })
    await publish('a', [1])
    expect(await replay(await resume(url, caughtUp?.id))).toEqual([1])
  })

  test('[MR-RES-17] from=snapshot gives the last event of each topic, without ids, before it is live', async () => {
    const { url, hub } = await startTestHub()
    const ids: (string | null)[] = []
    for (const [topic, data] of [
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ] as const) {
      ids.push(...(await hub.publish({ topic, data })).ids)
    }
    const stream = await openStream(`${url}?from=snapshot`)
    const blocks = await stream.until(({ event }) => event === 'stream:caught-up')
    expect(blocks.filter(isPublished)).toMatchObject([
      { topic: 'b', data: '2' },
      { topic: 'a', data: '3' },
    ])
    expect(blocks.map(({ id }) => id).filter((id) => id !== undefined)).toEqual([ids[2]])
    const { ids: next } = await hub.publish({ topic: 'b', data: 4 })
    expect((await stream.until(isPublished)).at(-1)).toMatchObject({ id: next[0], topic: 'b', data: '4' })
  })

  test('another word than those there are is refused with its value', async () => {
    const { url } = await startTestHub()
    const response = await fetch(`${url}?from=yesterday`)
    expect([response.status, response.headers.get('content-type')]).toEqual([400, 'application/problem+json'])
    expect(((await response.json()) as { detail: string }).detail).toContain('"yesterday"')
  })
})

describe('where the id comes from', () => {
  test('[MR-HTTP-9] the header wins over last_event_id, and both win over from', async () => {
    const { url, publish } = await startTestHub()
    const ids = await publish('a', numbers(1, 9))
    const byQuery = await openStream(`${url}?last_event_id=${ids[5]}&from=earliest`)
    expect(await replay(byQuery)).toEqual([7, 8, 9])
    const byHeader = await resume(`${url}?last_event_id=${ids[1]}&from=earliest`, ids[6])
    expect(await replay(byHeader)).toEqual([8, 9])
    const garbageInQuery = await resume(`${url}?last_event_id=garbage&from=earliest`, ids[6])
    expect(await replay(garbageInQuery)).toEqual([8, 9])
  })

  test('an empty header is no id: the query counts', async () => {
    const { url, publish } = await startTestHub()
    const ids = await publish('a', numbers(1, 4))
    expect(await replay(await resume(`${url}?last_event_id=${ids[1]}`, ''))).toEqual([3, 4])
  })
})
