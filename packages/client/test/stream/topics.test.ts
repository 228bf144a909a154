import { expect, test } from 'vitest'
import type { ReferenceHub } from './support/reference-hub.ts'
import { openScene } from './support/scene.ts'
import { settle } from './support/test-clock.ts'

test('topics are changed on the open stream, and the change is confirmed by it', async () => {
  const { hub, stream, data, statuses } = await openScene({ topics: ['a'] })
  await stream.addTopics(['b', 'a'])
  expect(stream.topics).toEqual(['a', 'b'])
  hub.publish('b', 1)
  await settle()
  await stream.removeTopics(['a'])
  hub.publish('a', 2)
  hub.publish('b', 3)
  await settle()
  expect(data()).toEqual([1, 3])
  expect(statuses.map(({ name }) => name)).toEqual(['connecting', 'open'])
  expect(hub.requests.slice(1)).toMatchObject([
    { method: 'PUT', body: { topics: ['a', 'b'], revision: 1, secret: 's-c1' } },
    { method: 'PUT', body: { topics: ['b'], revision: 2, secret: 's-c1' } },
  ])
  expect(hub.requests[1]?.url.pathname).toBe('/events/c1/topics')
})

test('changes in quick succession are sent one after the other, the last one wins', async () => {
  const { hub, stream } = await openScene({ topics: ['a'] })
  await Promise.all([stream.setTopics(['b']), stream.setTopics(['c']), stream.setTopics(['d'])])
  expect(hub.streams[0]?.topics).toEqual(['d'])
  expect(hub.requests.slice(1).map(({ body }) => body)).toMatchObject([
    { topics: ['b'] },
    { topics: ['d'], revision: 3 },
  ])
})

test('a server that cannot change topics is asked again, with the id', async () => {
  const { clock, hub, stream, data } = await openScene(
    { topics: ['a'] },
    { prepare: (one) => (one.hasTopicChanges = false) },
  )
  hub.publish('a', 1)
  await settle()
  const changed = stream.setTopics(['a', 'b'])
  await clock.advance(1_000)
  await changed
  hub.publish('b', 2)
  await settle()
  expect(data()).toEqual([1, 2])
  expect(hub.requests.at(-1)?.url.search).toBe('?topic=a&topic=b')
  expect(hub.requests.at(-1)?.headers.get('last-event-id')).toBe('e1-1-abc')
})

test('a change during a break goes with the next attempt', async () => {
  const { clock, hub, stream } = await openScene({ topics: ['a'] })
  hub.cutStreams()
  await settle()
  const changed = stream.setTopics(['b'])
  await clock.advance(10_000)
  await changed
  expect(hub.requests.at(-1)?.url.search).toBe('?topic=b')
})

test('new topics get the snapshot that they are to begin with when the stream is not open yet', async () => {
  let open = (): void => {}
  const gate = new Promise<void>((resolve) => (open = resolve))
  const { hub, stream, data } = await openScene(
    {
      topics: ['a'],
      fetch: async (input, init) => {
        await gate
        return hub.fetch(input, init)
      },
    },
    { prepare: (one) => one.publish('b', 'last') },
  )
  const changes = [stream.addTopics(['b'], { from: 'snapshot' }), stream.addTopics(['c'])]
  open()
  await Promise.all(changes)
  hub.publish('c', 'next')
  await settle()
  expect(data()).toEqual(['last', 'next'])
  expect(hub.requests.map(({ method }) => method)).toEqual(['GET', 'PUT'])
})

test('new topics get the snapshot that they are to begin with when they come during a break', async () => {
  const { clock, hub, stream, data } = await openScene({ topics: ['a'] })
  hub.publish('b', 'last')
  hub.cutStreams()
  await settle()
  const changed = stream.addTopics(['b'], { from: 'snapshot' })
  hub.publish('a', 'missed')
  // The stream that is to be changed breaks once more before it is.
  hub.faultOf = ({ method }) => (method === 'PUT' ? { kind: 'deaf' } : undefined)
  await clock.until(() => hub.requests.at(-1)?.method === 'PUT')
  hub.faultOf = () => undefined
  hub.cutStreams()
  await clock.advance(10_000)
  await changed
  expect(data()).toEqual(['missed', 'last'])
  hub.cutStreams()
  await clock.advance(10_000)
  expect(data()).toEqual(['missed', 'last'])
  expect(hub.requests.at(-1)?.url.search).toBe('?topic=a&topic=b')
})

test('new topics begin with what comes next where no open stream can be changed', async () => {
  const { clock, hub, stream, data } = await openScene(
    { topics: ['a'] },
    {
      prepare(one) {
        one.hasTopicChanges = false
        one.publish('b', 'last')
      },
    },
  )
  const changed = stream.addTopics(['b'], { from: 'snapshot' })
  await clock.advance(1_000)
  await changed
  hub.publish('b', 'next')
  await settle()
  expect(data()).toEqual(['next'])
  expect(hub.requests.map(({ method }) => method)).toEqual(['GET', 'PUT', 'GET'])
})

test('a server that is no hub is asked anew for topics that came before it has answered', async () => {
  let open = (): void => {}
  const gate = new Promise<void>((resolve) => (open = resolve))
  const asked: string[] = []
  const { clock, stream } = await openScene({
    topics: ['a'],
    fetch: async (input) => {
      asked.push(new URL(input).search)
      await gate
      return new Response(new ReadableStream({ start() {} }), { headers: { 'content-type': 'text/event-stream' } })
    },
  })
  const changed = stream.addTopics(['b'], { from: 'snapshot' })
  open()
  await clock.advance(1_000)
  await changed
  expect(asked).toEqual(['?topic=a', '?topic=a&topic=b'])
})

test('new topics are asked for when nothing more comes of the old ones', async () => {
  const { clock, hub, stream, data } = await openScene({ topics: ['jobs.1'] })
  hub.faultOf = ({ url, method }) =>
    method === 'GET' && url.search === '?topic=jobs.1' ? { kind: 'answer', status: 204 } : undefined
  hub.cutStreams()
  await settle()
  const changed = stream.addTopics(['jobs.2'], { from: 'snapshot' })
  await clock.advance(10_000)
  await changed
  hub.publish('jobs.2', 'begun')
  await settle()
  expect(data()).toEqual(['begun'])
})

test.each([
  { status: 429, after: '30', waitMs: 31_500 },
  { status: 503, after: '30', waitMs: 31_500 },
  // Without a word about it, for as long as an attempt would wait.
  { status: 429, after: '', waitMs: 2_100 },
  { status: 429, after: '0', waitMs: 2_100 },
])('topics are asked for again on the open stream after $status and Retry-After "$after"', async (one) => {
  const { clock, hub, stream, data } = await openScene({ topics: ['a'] })
  const headers = { 'retry-after': one.after }
  hub.faultOf = ({ method }) => (method === 'PUT' ? { kind: 'answer', status: one.status, headers } : undefined)
  const changes = [stream.addTopics(['b'], { from: 'snapshot' })]
  await settle()
  // What is wanted meanwhile goes with it.
  changes.push(stream.addTopics(['c']))
  hub.faultOf = () => undefined
  await clock.advance(one.waitMs - 1)
  hub.publish('a', 1)
  await settle()
  expect(hub.requests.map(({ method }) => method)).toEqual(['GET', 'PUT'])
  await clock.advance(1)
  await Promise.all(changes)
  expect(hub.requests.map(({ method }) => method)).toEqual(['GET', 'PUT', 'PUT'])
  expect(hub.streams[0]?.topics).toEqual(['a', 'b', 'c'])
  expect(data()).toEqual([1])
  expect(clock.timerCount).toBe(1)
})

test('a server that asks for no time at all is asked again for topics that it had no time for', async () => {
  const { clock, hub, stream } = await openScene({ topics: ['a'] }, { prepare: (one) => (one.retryMs = 0) })
  hub.faultOf = ({ method }) => (method === 'PUT' ? { kind: 'answer', status: 429 } : undefined)
  const changed = stream.setTopics(['b'])
  await settle()
  hub.faultOf = () => undefined
  await clock.advance(1_000)
  await changed
  expect(hub.requests.map(({ method }) => method)).toEqual(['GET', 'PUT', 'PUT'])
})

test.each(['heeds', 'does not heed'])(
  'a change that is not answered goes with another stream; fetch %s its signal',
  async (how) => {
    const hubs: ReferenceHub[] = []
    const { clock, hub, stream, data } = await openScene(
      {
        topics: ['a'],
        fetch: (input, init) =>
          how === 'heeds' || init.method !== 'PUT' ? hubs[0]!.fetch(input, init) : new Promise(() => {}),
      },
      { prepare: (one) => void hubs.push(one) },
    )
    hub.faultOf = ({ method }) => (method === 'PUT' ? { kind: 'deaf' } : undefined)
    const changed = stream.addTopics(['b'])
    await clock.advance(14_999)
    expect(hub.streams).toHaveLength(1)
    await clock.advance(101)
    await changed
    hub.publish('b', 1)
    await settle()
    expect(data()).toEqual([1])
    expect(hub.requests.at(-1)?.url.search).toBe('?topic=a&topic=b')
    stream.close()
    await settle()
    expect(clock.timerCount).toBe(0)
  },
)

test('a stream that ends while the server is left alone asks for the new topics itself', async () => {
  const { clock, hub, stream } = await openScene({ topics: ['a'] })
  const headers = { 'retry-after': '600' }
  hub.faultOf = ({ method }) => (method === 'PUT' ? { kind: 'answer', status: 429, headers } : undefined)
  const changed = stream.addTopics(['b'])
  await settle()
  hub.cutStreams()
  await clock.advance(3_000)
  await changed
  expect(hub.requests.at(-1)?.url.search).toBe('?topic=a&topic=b')
  const again = stream.addTopics(['c'])
  await settle()
  stream.close()
  await expect(again).rejects.toMatchObject({ code: 'closed' })
  expect(clock.timerCount).toBe(0)
})

test('a poll that waits is asked again with the new topics', async () => {
  const { clock, hub, stream, data } = await openScene({ topics: ['a'], transport: 'long-polling' })
  await clock.advance(1_000)
  const changed = stream.setTopics(['b'])
  await clock.advance(100)
  // Though nothing has come yet.
  await changed
  await clock.advance(100)
  hub.publish('b', 1)
  await settle()
  expect(data()).toEqual([1])
  expect(hub.requests.slice(-2).map(({ url }) => url.searchParams.get('wait'))).toEqual(['0', '25'])
})

/** The streams of the hub end, and the client waits to come back: the data that it then has, of what is published to `jobs.1`. */
async function dataOfReturn({ clock, hub, stream, data }: Awaited<ReturnType<typeof openScene>>): Promise<unknown[]> {
  hub.endStreams()
  await settle()
  expect(stream.status.name).toBe('waiting')
  hub.publish('jobs.1', 'more')
  await clock.until(() => stream.status.name === 'open')
  return data()
}

test('a topic that was finished and is asked for anew may be open again: a stream that ends is no sign of its end', async () => {
  const scene = await openScene({ topics: ['jobs.1', 'jobs.2'] })
  const { hub, stream } = scene
  for (const one of hub.streams) one.write('event: stream:end\ndata: {"topic":"jobs.1"}\n\n')
  await stream.setTopics(['jobs.2'])
  // This opens it again, for those who follow it.
  hub.publish('jobs.1', 'again')
  await stream.setTopics(['jobs.1'])
  expect(await dataOfReturn(scene)).toEqual(['more'])
})

test.each(['stream:shutdown', 'stream:reconnect'])(
  'after %s the end of a stream is no sign that its topics are finished',
  async (type) => {
    const scene = await openScene({ topics: ['jobs.1', 'jobs.2'] })
    const { hub } = scene
    // One of them may have been opened again by an event that is filtered out.
    for (const topic of ['jobs.1', 'jobs.2']) {
      for (const one of hub.streams) one.write(`event: stream:end\ndata: {"topic":"${topic}"}\n\n`)
    }
    for (const one of hub.streams) one.write(`event: ${type}\ndata: {}\n\n`)
    expect(await dataOfReturn(scene)).toEqual(['more'])
  },
)

test('a change that is not confirmed any more is rejected when the stream is closed', async () => {
  const { hub, stream } = await openScene({ topics: ['a'] })
  hub.faultOf = () => ({ kind: 'deaf' })
  const changed = stream.setTopics(['b'])
  stream.close()
  await expect(changed).rejects.toMatchObject({ code: 'closed' })
  await expect(stream.setTopics(['c'])).rejects.toMatchObject({ code: 'closed' })
})
