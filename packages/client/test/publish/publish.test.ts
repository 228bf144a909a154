import { defaultHubSettings, startHubServer } from '@millrace/hub'
import { expect, onTestFinished, test } from 'vitest'
import type { OutgoingEvent, PublishOptions } from '../../src/publish/publish-options.ts'
import { publish } from '../../src/publish/publish.ts'
import { settle, TestClock } from '../stream/support/test-clock.ts'
import { lines, network, ok, refused, runPublish } from './support/run-publish.ts'

const EVENT = { topic: 'a', data: 1 }

test('the ids of the events come back', async () => {
  const { ids, requests } = await runPublish([EVENT, EVENT], [ok('1', '2')], { token: 'T' })
  expect(ids).toEqual(['1', '2'])
  expect(requests[0]?.init).toMatchObject({
    method: 'POST',
    headers: { authorization: 'Bearer T', 'content-type': 'application/json' },
  })
})

test('a lost answer is asked for again with the same key, so that the event is stored once', async () => {
  const { bodies, requests } = await runPublish(EVENT, [network, network, ok('1')])
  expect(requests.map(({ atMs }) => atMs)).toEqual([0, 1_000, 2_500])
  expect(new Set(bodies).size).toBe(1)
  expect(JSON.parse(bodies[0] ?? '')).toEqual([{ ...EVENT, dedupeKey: expect.stringMatching(/^[0-9a-f]{32}$/) }])
})

test('a key of one\u2019s own stays, and each event has another', async () => {
  const { bodies } = await runPublish([EVENT, EVENT, { ...EVENT, dedupeKey: 'mine' }], [ok('1', '2', '3')])
  const keys = (JSON.parse(bodies[0] ?? '') as OutgoingEvent[]).map(({ dedupeKey }) => dedupeKey)
  expect(keys[2]).toBe('mine')
  expect(new Set(keys).size).toBe(3)
})

test('without keys only what was not taken is tried again', async () => {
  expect(await runPublish(EVENT, [network], { dedupe: false })).toMatchObject({ error: { code: 'network' } })
  expect(await runPublish(EVENT, [refused(503, 'away')], { dedupe: false })).toMatchObject({ error: { status: 503 } })
  expect(await runPublish(EVENT, [refused(429, 'slow down'), ok('1')], { dedupe: false })).toMatchObject({ ids: ['1'] })
  expect(await runPublish({ ...EVENT, ephemeral: true }, [network])).toMatchObject({ error: { code: 'network' } })
})

test('Retry-After is obeyed', async () => {
  const { requests } = await runPublish(EVENT, [refused(503, 'away', { 'retry-after': '30' }), ok('1')])
  expect(requests[1]?.atMs).toBe(30_500)
})

test('so is the one of a line', async () => {
  const events = Array.from({ length: 101 }, (_, i) => ({ topic: 'a', data: i }))
  const { requests } = await runPublish(events, [
    lines({ id: '1' }, { error: { status: 429, detail: 'Line 2: too fast.', retryAfter: 30 } }),
    lines(...Array.from({ length: 100 }, (_, i) => ({ id: String(i) }))),
  ])
  expect(requests[1]?.atMs).toBe(30_500)
})

test.each([400, 401, 403, 413, 415])('%i is final, and its detail is told', async (status) => {
  const { error, requests } = await runPublish(EVENT, [refused(status, 'The topic is bad.')])
  expect(error).toMatchObject({ code: 'status', status })
  expect(error).toHaveProperty('message', expect.stringContaining('The topic is bad.'))
  expect(requests).toHaveLength(1)
})

test('it gives up after as many attempts as it may make', async () => {
  const { error, requests } = await runPublish(EVENT, [network, network, network], { maxAttempts: 3 })
  expect(error).toMatchObject({ code: 'network' })
  expect(requests).toHaveLength(3)
})

test('an answer that does not come is a failure', async () => {
  const { requests } = await runPublish(EVENT, [() => new Promise(() => {}), ok('1')], { timeoutMs: 5_000 })
  expect(requests.map(({ atMs }) => atMs)).toEqual([0, 6_000])
})

test('many events go one a line; what was stored before a failure is known', async () => {
  const events = Array.from({ length: 101 }, (_, i) => ({ topic: 'a', data: i }))
  const some = [{ id: '1' }, { id: null }]
  const { error, bodies, requests } = await runPublish(events, [
    lines(...some, { error: { status: 413, detail: 'Line 3: too large.' } }),
  ])
  expect(requests[0]?.init.headers['content-type']).toBe('application/x-ndjson')
  expect(bodies[0]?.trimEnd().split('\n')).toHaveLength(101)
  expect(error).toMatchObject({ status: 413, published: ['1', null] })
})

test('an answer that is cut off goes on where it ended', async () => {
  const events = Array.from({ length: 101 }, (_, i) => ({ topic: 'a', data: i }))
  const id = (i: number): object => ({ id: String(i) })
  const first = lines(...events.slice(0, 40).map((_, i) => id(i)))
  const rest = lines(...events.slice(40).map((_, i) => id(i + 40)))
  const { ids, bodies } = await runPublish(events, [first, rest])
  expect(ids).toEqual(events.map((_, i) => String(i)))
  expect(bodies[1]?.trimEnd().split('\n')).toHaveLength(61)
})

test('a signal ends it, also while it waits', async () => {
  const clock = new TestClock()
  const controller = new AbortController()
  const done = publish('http://hub.test/events', EVENT, {
    fetch: async () => Promise.reject(new TypeError('away')),
    clock,
    signal: controller.signal,
  })
  const caught = done.catch((error: unknown) => error)
  await settle()
  controller.abort()
  expect(await caught).toMatchObject({ code: 'closed' })
  expect(clock.timerCount).toBe(0)
})

test('a signal that is aborted already keeps it from sending anything', async () => {
  const { error, requests } = await runPublish(EVENT, [ok('1')], { signal: AbortSignal.abort() })
  expect(error).toMatchObject({ code: 'closed', published: [] })
  expect(requests).toEqual([])
})

test('ids that are cut off are asked for again', async () => {
  const { ids, bodies } = await runPublish(EVENT, [() => new Response('{"ids":["'), ok('1')])
  expect(ids).toEqual(['1'])
  expect(bodies[1]).toBe(bodies[0])
})

test('a real hub stores few events and many, each once though it is told twice', async () => {
  const hub = await startHubServer({ ...defaultHubSettings, port: 0, log: 'memory:' })
  onTestFinished(() => hub.close())
  const url = `${hub.url}/events`
  const twice: PublishOptions['fetch'] = async (input, init) => {
    // The first answer is lost on the way.
    await (await fetch(input, init)).text()
    return fetch(input, init)
  }
  const [first] = await publish(url, EVENT, { fetch: twice })
  const [second] = await publish(url, EVENT)
  const seq = (id: string | null | undefined): number => Number(id?.split('-')[1])
  expect(seq(second)).toBe(seq(first) + 1)
  const many = await publish(
    url,
    Array.from({ length: 250 }, (_, i) => ({ topic: 'b', data: i })),
    { fetch: twice },
  )
  expect(many.map(seq)).toEqual(Array.from({ length: 250 }, (_, i) => seq(second) + 1 + i))
  await expect(publish(url, { topic: 'not a topic', data: 1 })).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining('not a topic'),
  })
})
