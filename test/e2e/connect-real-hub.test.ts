/** `connect` against the real hub, on real sockets: cuts, a proxy that holds streams back, posted streams. */
import { connect, type EventStream, type StreamOptions } from '@millrace/client'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { CUT_PLACES, MANY_BYTES } from './support/cut-rules.ts'
import { startCuttingProxy } from './support/cutting-proxy.ts'
import { numbers, startTestHub } from './support/test-hub.ts'

interface Counted {
  readonly n: number
  readonly text?: string
}

/** Quick, so that a test does not wait as long as a user would. */
const QUICK = {
  minDelayMs: 20,
  maxBackoffMs: 100,
  streamTimeoutMs: 200,
  pollWaitMs: 500,
  pollIntervalMs: 50,
  streamRetryMs: 300,
}

function open(
  url: string,
  options: StreamOptions,
): { stream: EventStream<{ message: Counted; tick: Counted }>; seen: number[] } {
  const stream = connect<{ message: Counted; tick: Counted }>(url, { ...QUICK, ...options })
  onTestFinished(() => stream.close())
  const seen: number[] = []
  stream.on('*', ({ data }) => void seen.push(data.n))
  return { stream, seen }
}

/** Looks again and again, at the pace of the machine; fails when it is not so within half a minute. */
async function eventually(isTrue: () => boolean, what: () => unknown): Promise<void> {
  const untilMs = performance.now() + 30_000
  while (!isTrue()) {
    if (performance.now() > untilMs) throw new Error(`it never came to this; instead: ${JSON.stringify(what())}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('cut at every kind of place: every event once and in order, and no gap is told', async () => {
  const hub = await startTestHub({ retryMs: 20, heartbeatMs: 100 })
  const proxy = await startCuttingProxy({ port: hub.port, pages: {} })
  const errors: string[] = []
  const { stream, seen } = open(`${proxy.origin}/events`, {
    topics: ['a'],
    onError: ({ code }) => void errors.push(code),
  })
  await eventually(
    () => stream.status.name === 'open',
    () => stream.diagnostics(),
  )
  for (const [i, [, rule]] of CUT_PLACES.entries()) proxy.cutNext(rule, i % 2 === 0 ? 'fin' : 'rst')
  proxy.cutNow()
  let count = 0
  while (proxy.pendingCuts > 0) {
    await hub.hub.publish({ topic: 'a', type: 'tick', data: { n: ++count, text: MANY_BYTES } })
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (count > 5_000) throw new Error('the cuts never came')
  }
  await eventually(
    () => seen.includes(count),
    () => stream.diagnostics(),
  )
  expect(seen).toEqual(numbers(1, count))
  expect(errors).not.toContain('missed')
  expect(proxy.passages.length).toBeGreaterThan(CUT_PLACES.length)
}, 60_000)

test('behind a proxy that holds streams back it polls; when streams get through again it streams; nothing is lost', async () => {
  const hub = await startTestHub({ retryMs: 20, heartbeatMs: 100 })
  const proxy = await startBufferingProxy(hub.port)
  const { stream, seen } = open(proxy.url, { topics: ['a'] })
  let count = 0
  const publishSome = async (): Promise<void> => {
    const batch = numbers(count + 1, count + 20)
    count += 20
    await hub.publish('a', batch)
    await eventually(
      () => seen.length >= count,
      () => [seen.length, stream.diagnostics()],
    )
  }
  const isOpenBy = (transport: string) => (): boolean =>
    stream.status.name === 'open' && stream.status.transport === transport
  await eventually(isOpenBy('stream'), () => stream.diagnostics())
  await publishSome()
  proxy.isBuffering = true
  proxy.cut()
  await eventually(isOpenBy('long-polling'), () => stream.diagnostics())
  await publishSome()
  await publishSome()
  proxy.isBuffering = false
  await eventually(isOpenBy('stream'), () => stream.diagnostics())
  await publishSome()
  expect(seen).toEqual(numbers(1, count))
}, 60_000)

test('a forced transport works by itself: long polls, and plain ones', async () => {
  const hub = await startTestHub()
  for (const transport of ['long-polling', 'polling'] as const) {
    const topic = `only.${transport}`
    const { stream, seen } = open(hub.url, { topics: [topic], transport })
    await eventually(
      () => stream.status.name === 'open',
      () => stream.diagnostics(),
    )
    await hub.publish(topic, numbers(1, 1_500))
    await eventually(
      () => seen.length >= 1_500,
      () => stream.diagnostics(),
    )
    expect(seen).toEqual(numbers(1, 1_500))
  }
}, 60_000)

test('a posted stream takes more topics than a URL should hold', async () => {
  const hub = await startTestHub()
  const topics = Array.from({ length: 100 }, (_, i) => `${'long.'.repeat(14)}${i}`)
  const { stream, seen } = open(hub.url, { method: 'POST', topics, from: 'earliest' })
  await eventually(
    () => stream.status.name === 'open',
    () => stream.diagnostics(),
  )
  for (const [i, topic] of topics.entries()) await hub.publish(topic, [i])
  await eventually(
    () => seen.length === 100,
    () => stream.diagnostics(),
  )
  expect(seen).toEqual(numbers(0, 99))
}, 60_000)

test('topics are changed on the open stream, and on polls, and a new one begins with its last event where that is asked for', async () => {
  const hub = await startTestHub()
  await hub.publish('b', [1, 2])
  for (const transport of ['stream', 'long-polling'] as const) {
    const topics = [`a.${transport}`]
    const { stream, seen } = open(hub.url, { topics, transport })
    await eventually(
      () => stream.status.name === 'open',
      () => stream.diagnostics(),
    )
    await stream.addTopics(['b'], { from: 'snapshot' })
    // A poll asks anew, and has what came after its cursor.
    expect(seen).toEqual(transport === 'stream' ? [2] : [])
    await stream.removeTopics(topics)
    await hub.publish(topics[0] ?? '', [10])
    await hub.publish('b', [3])
    await eventually(
      () => seen.includes(3),
      () => stream.diagnostics(),
    )
    expect(seen).toEqual(transport === 'stream' ? [2, 3] : [3])
    expect(stream.topics).toEqual(['b'])
    expect(transport !== 'stream' || stream.diagnostics().attempts === 1).toBe(true)
    await expect(stream.setTopics(['not a topic'])).rejects.toMatchObject({ status: 400 })
    stream.close()
  }
})

test('new topics begin with their last event also when the stream has just been lost', async () => {
  const hub = await startTestHub({ retryMs: 20, heartbeatMs: 100 })
  const proxy = await startCuttingProxy({ port: hub.port, pages: {} })
  await hub.publish('b', [1, 2])
  const { stream, seen } = open(`${proxy.origin}/events`, { topics: ['a'], transport: 'stream' })
  await eventually(
    () => stream.status.name === 'open',
    () => stream.diagnostics(),
  )
  proxy.hold()
  proxy.cutNow('rst')
  await eventually(
    () => stream.status.name === 'waiting',
    () => stream.diagnostics(),
  )
  const changed = stream.addTopics(['b'], { from: 'snapshot' })
  await hub.publish('a', [3])
  proxy.release()
  await changed
  await hub.publish('b', [4])
  await eventually(
    () => seen.includes(4),
    () => seen,
  )
  expect(seen).toEqual([3, 2, 4])
})

test('a state topic that is added brings its value, whatever the transport', async () => {
  const hub = await startTestHub({ memory: { topics: [{ match: 's.>', kind: 'state' }, { match: '>' }] } })
  await hub.publish('s.x', [1])
  for (const transport of ['stream', 'long-polling'] as const) {
    const { stream, seen } = open(hub.url, { topics: ['a'], transport })
    await eventually(
      () => stream.status.name === 'open',
      () => stream.diagnostics(),
    )
    await stream.addTopics(['s.x'])
    await eventually(
      () => seen.length > 0,
      () => stream.diagnostics(),
    )
    await stream.addTopics(['b'])
    await hub.publish('b', [2])
    await eventually(
      () => seen.includes(2),
      () => stream.diagnostics(),
    )
    // A poll for other topics brings all values anew.
    expect(seen).toEqual(transport === 'stream' ? [1, 2] : [1, 1, 2])
    stream.close()
  }
})

test('events that were missed are told before what follows, with the id that could not be resumed from', async () => {
  const hub = await startTestHub()
  await hub.publish('a', [1])
  const order: unknown[] = []
  const stream = connect<{ message: Counted }>(hub.url, {
    topics: ['a'],
    lastId: 'otherlife-7-abc',
    onSync: async (reason, { from }) => void order.push(reason, from),
  })
  onTestFinished(() => stream.close())
  stream.on('message', ({ data }) => void order.push(data.n))
  await eventually(
    () => order.length === 2,
    () => order,
  )
  await hub.publish('a', [2])
  await eventually(
    () => order.length === 3,
    () => order,
  )
  expect(order).toEqual(['epoch_changed', 'otherlife-7-abc', 2])
})

test('a topic that ends, ends the stream, whatever the transport', async () => {
  const hub = await startTestHub()
  for (const transport of ['stream', 'long-polling'] as const) {
    const topic = `job.${transport}`
    const stream = connect<{ message: Counted }>(hub.url, { ...QUICK, topics: [topic], transport })
    onTestFinished(() => stream.close())
    const seen: number[] = []
    const loop = (async () => {
      for await (const { data } of stream) seen.push(data.n)
    })()
    await eventually(
      () => stream.status.name === 'open',
      () => stream.diagnostics(),
    )
    await hub.publish(topic, [1, 2])
    await hub.hub.publish({ topic, data: { n: 3 }, end: true })
    await loop
    expect(seen).toEqual([1, 2, 3])
    expect(stream.status).toEqual({ name: 'ended' })
  }
})

/** A proxy that passes requests on; while it buffers, no byte of a stream gets through until the stream ends. */
async function startBufferingProxy(port: number): Promise<{ url: string; isBuffering: boolean; cut(): void }> {
  const answers = new Set<ServerResponse>()
  const proxy = { url: '', isBuffering: false, cut: () => answers.forEach((response) => response.destroy()) }
  const server = createServer((incoming: IncomingMessage, response) => {
    const { url: path, method, headers } = incoming
    const upstream = request({ port, host: '127.0.0.1', path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      response.flushHeaders()
      const isHeld = proxy.isBuffering && answer.headers['content-type'] === 'text/event-stream'
      const held: Buffer[] = []
      answer.on('data', (chunk: Buffer) => (isHeld ? held.push(chunk) : response.write(chunk)))
      answer.on('end', () => response.end(Buffer.concat(held)))
    })
    answers.add(response)
    upstream.on('error', () => response.destroy())
    response.on('close', () => {
      answers.delete(response)
      upstream.destroy()
    })
    incoming.pipe(upstream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return proxy
}
