import { expect, test } from 'vitest'
import { openScene, URL_OF_HUB } from './support/scene.ts'
import { settle } from './support/test-clock.ts'

const names = (statuses: readonly { readonly name: string }[]): string[] => statuses.map(({ name }) => name)

test('the states of a good start, a break and a return are told in order', async () => {
  const { clock, hub, statuses } = await openScene()
  hub.cutStreams()
  await clock.advance(5_000)
  expect(names(statuses)).toEqual(['connecting', 'open', 'waiting', 'connecting', 'open'])
  expect(statuses[1]).toEqual({ name: 'open', transport: 'stream' })
})

test('a stream is open when it has the id that it can resume from, wherever its first bytes are cut', async () => {
  const wereOpen: boolean[] = []
  for (let afterBytes = 0; afterBytes <= 130; afterBytes++) {
    let faults = 1
    const { clock, hub, statuses, stream } = await openScene(
      { topics: ['a'] },
      { prepare: (one) => (one.faultOf = () => (faults-- > 0 ? { kind: 'cut', afterBytes } : undefined)) },
    )
    await clock.until(() => stream.status.name === 'waiting')
    const wasOpen = statuses.some(({ name }) => name === 'open')
    wereOpen.push(wasOpen)
    // Who fetches the state when the stream is open misses nothing after that.
    await clock.until(() => stream.status.name === 'open')
    expect(hub.requests[1]?.headers.has('last-event-id')).toBe(wasOpen)
    stream.close()
  }
  expect(wereOpen.indexOf(true)).toBeGreaterThan(50)
  expect(wereOpen.lastIndexOf(false)).toBe(wereOpen.indexOf(true) - 1)
})

test('each failure in a row waits longer, and a good connection starts over', async () => {
  const { clock, hub, statuses, stream } = await openScene()
  hub.faultOf = () => ({ kind: 'network' })
  hub.cutStreams()
  const delays = (): unknown[] =>
    statuses.filter(({ name }) => name === 'waiting').map((one) => 'delayMs' in one && one.delayMs)
  await clock.until(() => delays().length === 5)
  // The floor is the hub's 2,000 ms; chance is always in the middle.
  expect(delays()).toEqual([2_500, 3_000, 4_000, 6_000, 10_000])
  expect(stream.diagnostics()).toMatchObject({ failures: 5, lastError: { code: 'network' } })
  hub.faultOf = () => undefined
  await clock.until(() => stream.status.name === 'open')
  hub.publish('a', 1)
  await settle()
  hub.endStreams()
  await settle()
  expect(delays().at(-1)).toBe(2_100)
})

test('a passing refusal is waited out as long as the server asks', async () => {
  const { clock, hub, statuses } = await openScene(
    {},
    {
      prepare: (one) => {
        let first = true
        one.faultOf = () => {
          if (!first) return undefined
          first = false
          return { kind: 'answer', status: 503, headers: { 'retry-after': '20' } }
        }
      },
    },
  )
  expect(statuses.at(-1)).toMatchObject({ name: 'waiting', delayMs: 20_500, error: { code: 'status', status: 503 } })
  await clock.advance(20_500)
  expect(names(statuses).slice(-2)).toEqual(['connecting', 'open'])
  expect(hub.requests.map(({ headers }) => headers.get('millrace-client'))).toEqual(['js', 'js'])
})

test('a refusal that will not mend ends the stream, and the iteration throws it', async () => {
  const { hub, stream, statuses, clock } = await openScene(
    {},
    {
      listen: false,
      prepare: (one) => (one.faultOf = () => ({ kind: 'answer', status: 403 })),
    },
  )
  expect(statuses.at(-1)).toMatchObject({ name: 'failed', error: { code: 'status', status: 403 } })
  await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ status: 403 })
  expect(hub.requests).toHaveLength(1)
  expect(clock.timerCount).toBe(0)
})

test('204 stops the stream for good, and is no error', async () => {
  const { stream, hub } = await openScene(
    {},
    {
      listen: false,
      prepare: (one) => (one.faultOf = () => ({ kind: 'answer', status: 204 })),
    },
  )
  expect(stream.status).toEqual({ name: 'ended' })
  expect(await stream[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined })
  expect(hub.requests).toHaveLength(1)
})

test('a stream whose topics are finished ends; one that is cut off does not', async () => {
  const { hub, stream, data, clock } = await openScene({ topics: ['jobs.1', 'jobs.2'] })
  hub.publish('jobs.1', 'done')
  hub.endStreams('event: stream:end\ndata: {"topic":"jobs.1"}\n\n')
  await settle()
  expect(stream.status.name).toBe('waiting')
  await clock.until(() => stream.status.name === 'open')
  hub.endStreams('event: stream:end\ndata: {"topic":"jobs.2"}\n\n')
  await settle()
  expect(stream.status).toEqual({ name: 'ended' })
  expect(data()).toEqual(['done'])
  expect(clock.timerCount).toBe(0)
})

test('a topic that is published to again is not finished any more', async () => {
  const { hub, stream } = await openScene({ topics: ['jobs.1'] })
  for (const one of hub.streams) one.write('event: stream:end\ndata: {"topic":"jobs.1"}\n\n')
  hub.publish('jobs.1', 'again')
  hub.endStreams()
  await settle()
  expect(stream.status.name).toBe('waiting')
})

test('silence for two and a half heartbeats is a dead connection; comments are life', async () => {
  const { clock, hub, stream, statuses } = await openScene()
  for (let i = 0; i < 10; i++) {
    await clock.advance(15_000)
    hub.beat()
    await settle()
  }
  expect(names(statuses)).toEqual(['connecting', 'open'])
  await clock.advance(37_500)
  expect(stream.status).toMatchObject({ name: 'waiting', error: { code: 'silent' } })
  expect(hub.streams).toEqual([])
})

test('a server that promises nothing may be silent, unless silenceMs says otherwise', async () => {
  const plain = async (): Promise<Response> =>
    new Response(new ReadableStream({ start: (one) => one.enqueue(new TextEncoder().encode('data: 1\n\n')) }), {
      headers: { 'content-type': 'text/event-stream' },
    })
  const quiet = await openScene({ fetch: plain })
  await quiet.clock.advance(3_600_000)
  expect(quiet.stream.status.name).toBe('open')
  const strict = await openScene({ fetch: plain, silenceMs: 10_000 })
  await strict.clock.advance(10_000)
  expect(strict.stream.status.name).toBe('waiting')
})

test('a heartbeat that no timer can hold is a long one, and what is none is none', async () => {
  for (const heartbeatMs of ['1e9', '1e999', '0', '-5', 'null']) {
    const said = `event: stream:connected\ndata: {"connection":"c","heartbeatMs":${heartbeatMs}}\n\n`
    const plain = async (): Promise<Response> =>
      new Response(new ReadableStream({ start: (one) => one.enqueue(new TextEncoder().encode(said)) }), {
        headers: { 'content-type': 'text/event-stream' },
      })
    const { clock, stream } = await openScene({ fetch: plain })
    await clock.advance(3_600_000)
    expect(stream.status.name).toBe('open')
    expect(clock.timerCount).toBeLessThanOrEqual(1)
    stream.close()
  }
})

test('an answer that does not come is not waited for', async () => {
  const { clock, stream } = await openScene({}, { prepare: (one) => (one.faultOf = () => ({ kind: 'deaf' })) })
  await clock.advance(15_000)
  expect(stream.status).toMatchObject({ name: 'waiting', error: { code: 'timeout' } })
})

test('closing ends everything at once, from any state, and may be done twice', async () => {
  for (const prepare of [undefined, { kind: 'deaf' }, { kind: 'network' }, { kind: 'hold' }] as const) {
    const { clock, hub, stream, statuses, events } = await openScene(
      {},
      { prepare: (one) => (one.faultOf = () => prepare) },
    )
    stream.close()
    stream.close()
    hub.publish('a', 1)
    await clock.advance(600_000)
    expect(stream.status).toEqual({ name: 'closed' })
    expect(names(statuses).filter((name) => name === 'closed')).toHaveLength(1)
    expect(clock.timerCount).toBe(0)
    expect(hub.streams).toEqual([])
    expect(events).toEqual([])
  }
})

test('an AbortSignal closes the stream, also one that was aborted before', async () => {
  const controller = new AbortController()
  const { stream } = await openScene({ signal: controller.signal })
  controller.abort()
  expect(stream.status.name).toBe('closed')
  const late = await openScene({ signal: AbortSignal.abort() })
  expect(late.stream.status.name).toBe('closed')
  expect(late.hub.requests).toEqual([])
})

test('a retry of 0 and a server that ends at once make no hot loop', async () => {
  const { clock, hub } = await openScene(
    { fraction: () => 0 },
    {
      prepare: (one) => {
        one.retryMs = 0
        one.faultOf = () => ({
          kind: 'answer',
          status: 200,
          headers: { 'content-type': 'text/event-stream' },
          body: 'retry: 0\n\n',
        })
      },
    },
  )
  await clock.advance(10_000)
  expect(hub.requests.length).toBeLessThan(110)
})

test('topics, from, types and client go into the query; a POST has them in its body', async () => {
  const options = { topics: ['a', 'b.*'], from: 'earliest', types: ['tick'], client: 'me' } as const
  const { hub } = await openScene(options)
  expect(hub.requests[0]?.url.search).toBe('?from=earliest&type=tick&client=me&topic=a&topic=b.*')
  const posted = await openScene({ ...options, method: 'POST' })
  expect(posted.hub.requests[0]).toMatchObject({
    method: 'POST',
    body: { topic: ['a', 'b.*'], from: 'earliest', type: 'tick', client: 'me' },
  })
  expect(posted.hub.requests[0]?.url.href).toBe(`${URL_OF_HUB}/stream`)
})

test.each(['stream', 'polling', 'long-polling'] as const)(
  'a Last-Event-ID of one\u2019s own is where it starts by %s, and not where it stays',
  async (transport) => {
    const headers = { 'Last-Event-ID': 'e1-1-abc' }
    const { clock, hub, data } = await openScene(
      { topics: ['a'], transport, headers },
      {
        prepare(one) {
          for (const n of [1, 2, 3]) one.publish('a', n)
        },
      },
    )
    await clock.advance(20_000)
    hub.cutStreams()
    hub.publish('a', 4)
    await clock.advance(20_000)
    expect(data()).toEqual([2, 3, 4])
  },
)
