/** When a stream gets its ids, over real HTTP: as early as one is true, and never earlier. */
import { formatEventId } from '@millrace/protocol'
import { describe, expect, test } from 'vitest'
import { LogThatLeaves } from './support/log-that-leaves.ts'
import { CONNECTED, POSITION, SMALL, count, firstNotice, position, replay, resume } from './support/resume-client.ts'
import { isPublished, json, openStream } from './support/stream-reader.ts'
import { numbers, startTestHub } from './support/test-hub.ts'

describe('how a stream begins', () => {
  test('[MR-CTL-1] a comment, retry, then stream:connected with the id that it starts from', async () => {
    const { hub, url, publish } = await startTestHub({ retryMs: 1_000, heartbeatMs: 20_000 })
    const [id] = await publish('a', [1])
    const stream = await openStream(url)
    const [comment, retry, connected] = [await stream.next(), await stream.next(), await stream.next()]
    expect(stream.status).toBe(200)
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-store, no-transform',
      'x-accel-buffering': 'no',
      connection: 'keep-alive',
      vary: 'Accept, Origin',
    })
    expect(comment?.comment).toBeDefined()
    expect(retry?.retryMs).toBeGreaterThanOrEqual(500)
    expect(retry?.retryMs).toBeLessThanOrEqual(1_500)
    expect(connected).toMatchObject({ event: 'stream:connected', id })
    const [subscriber] = hub.subscribers()
    expect(json(connected)).toEqual({
      connection: subscriber?.connection,
      secret: expect.stringMatching(/^.{16,}$/),
      heartbeatMs: 20_000,
    })
    expect(stream.headers['millrace-connection']).toBe(subscriber?.connection)
  })

  test('an empty hub has an id too, and a client that was cut before its first event resumes from it', async () => {
    const { url, publish } = await startTestHub()
    const first = await openStream(url)
    const [connected] = (await first.until(CONNECTED)).slice(-1)
    expect(position(connected?.id).seq).toBe(0)
    first.close()
    await publish('a', numbers(1, 3))
    const second = await resume(url, connected?.id)
    expect(await replay(second)).toEqual([1, 2, 3])
  })

  test('the retry of two streams differs', async () => {
    const { url } = await startTestHub({ retryMs: 60_000 })
    const times = new Set<number | undefined>()
    for (let i = 0; i < 5; i++) {
      const stream = await openStream(url)
      const [retry] = (await stream.until(({ retryMs }) => retryMs !== undefined)).slice(-1)
      times.add(retry?.retryMs)
    }
    expect(times.size).toBeGreaterThan(2)
  })

  test('[MR-CTL-2] [MR-CTL-3] no id comes before what it vouches for: with a replay owed, connected has none', async () => {
    const { url, publish } = await startTestHub()
    const [id] = await publish('a', numbers(1, 3))
    const stream = await resume(url, id)
    const [connected] = (await stream.until(CONNECTED)).slice(-1)
    expect(connected?.id).toBeUndefined()
    expect((await stream.next())?.id).toBe(
      formatEventId({ ...position(id), seq: 2, check: position(stream.ids[0]).check }),
    )
  })

  test('a field order of id, event, topic, data, and extra fields that a native client ignores', async () => {
    const { hub, url } = await startTestHub()
    const stream = await openStream(url)
    await stream.until(CONNECTED)
    const { ids } = await hub.publish({ topic: 'a.b', type: 'tick', data: 'one\ntwo' })
    expect(await stream.next()).toEqual({ id: ids[0], event: 'tick', topic: 'a.b', data: 'one\ntwo' })
    // The reader fails on any other order.
    expect(Object.keys(stream.events[0] ?? {})).toEqual(['id', 'event', 'topic', 'data'])
  })
})

describe('a stream on which nothing happens', () => {
  test('[MR-CTL-4] gets comments while there is nothing to tell, and stream:position when the log went on without it', async () => {
    const { url, publish } = await startTestHub({ ...SMALL, heartbeatMs: 100 })
    const stream = await openStream(`${url}?topic=quiet`)
    await stream.until(CONNECTED)
    expect((await stream.next())?.comment).toBeDefined()
    const busy = await publish('busy.a', numbers(1, 50))
    const [moved] = (await stream.until(POSITION)).slice(-1)
    expect(moved).toEqual({ id: busy.at(-1), event: 'stream:position', data: '{}' })
    expect((await stream.next())?.comment).toBeDefined()
  })

  test('the moved id keeps a type filter from raising a false alarm', async () => {
    const { url, publish } = await startTestHub({ ...SMALL, heartbeatMs: 100 })
    const rare = `${url}?topic=busy.*&type=rare`
    const stream = await openStream(rare)
    const [connected] = (await stream.until(CONNECTED)).slice(-1)
    await publish('busy.a', numbers(1, 50), 'common')
    const [moved] = (await stream.until(POSITION)).slice(-1)
    stream.close()
    await publish('busy.a', [51], 'rare')
    expect(await replay(await resume(rare, moved?.id))).toEqual([51])
    // What would have happened without it.
    expect(json(await firstNotice(await resume(rare, connected?.id)))).toMatchObject({ reason: 'too_old' })
  })

  test('a position is never sent before the events that it covers', async () => {
    const { url, publish } = await startTestHub({ heartbeatMs: 100 })
    const stream = await openStream(`${url}?topic=a`)
    for (let n = 1; n <= 12; n++) {
      await publish('b', [n])
      if (n % 3 === 0) await publish('a', [n])
      await stream.until((block) => POSITION(block) || count(block) === n)
    }
    let newest = -1
    for (const { id } of stream.all) {
      if (id === undefined) continue
      expect(position(id).seq).toBeGreaterThanOrEqual(newest)
      newest = position(id).seq
    }
    for (const [i, block] of stream.all.entries()) {
      if (!POSITION(block)) continue
      const seq = position(block.id).seq
      for (const later of stream.all.slice(i).filter(isPublished)) expect(position(later.id).seq).toBeGreaterThan(seq)
    }
  })
})

describe('while the log is away', () => {
  test('[MR-RES-14] an id inside the hot window is good without it; another gets a refusal that passes', async () => {
    const log = new LogThatLeaves()
    const { url, publish } = await startTestHub({ ...SMALL, retryMs: 1_000, wrapLog: (real) => log.before(real) })
    const ids = await publish('a', numbers(1, 50))
    log.isAway = true
    expect(await replay(await resume(url, ids[47]))).toEqual([49, 50])

    const refused = await resume(url, ids[3])
    const [retry, reconnect, ...rest] = await refused.rest()
    expect(refused.status).toBe(200)
    expect(retry?.retryMs).toBeGreaterThanOrEqual(1_000)
    expect(reconnect).toEqual({ event: 'stream:reconnect', data: '{"reason":"log_unavailable"}' })
    expect(rest).toEqual([])

    const statusReader = await fetch(url, { headers: { 'Last-Event-ID': String(ids[3]), 'Millrace-Client': '1' } })
    expect(statusReader.status).toBe(503)
    expect(Number(statusReader.headers.get('retry-after'))).toBeGreaterThan(0)

    log.isAway = false
    expect(await replay(await resume(url, ids[3]))).toEqual(numbers(5, 50))
  })
})
