import { expect, onTestFinished, test } from 'vitest'
import type { IdStorage } from '../../src/stream/id-store.ts'
import { openScene } from './support/scene.ts'
import { settle } from './support/test-clock.ts'

function memory(): IdStorage & { readonly values: Map<string, string>; writes: number } {
  const values = new Map<string, string>()
  return {
    values,
    writes: 0,
    getItem: (key) => values.get(key) ?? null,
    setItem(key, value) {
      this.writes++
      values.set(key, value)
    },
  }
}

test('diagnostics say what a bug report needs, and no ticket', async () => {
  const { hub, stream } = await openScene({ topics: ['a'], authorize: () => ({ ticket: 'secret-ticket' }) })
  hub.publish('a', 1)
  await settle()
  const found = stream.diagnostics()
  expect(found).toEqual({
    url: 'http://hub.test/events',
    transport: 'stream',
    attempts: 1,
    failures: 0,
    lastError: undefined,
    connection: 'c1',
    heartbeatMs: 15_000,
    floorMs: 2_000,
    topics: ['a'],
    status: { name: 'open', transport: 'stream' },
    lastId: 'e1-1-abc',
    receivedId: 'e1-1-abc',
    queuedCount: 0,
    eventCount: 1,
    missedCount: 0,
  })
})

test('diagnostics go into a report as JSON, errors with their words', async () => {
  const { stream } = await openScene({}, { prepare: (one) => (one.faultOf = () => ({ kind: 'answer', status: 503 })) })
  const report: unknown = JSON.parse(JSON.stringify(stream.diagnostics()))
  expect(report).toMatchObject({
    lastError: { code: 'status', status: 503, message: expect.stringContaining('503') },
    status: { name: 'waiting', delayMs: 1_500, atMs: expect.any(Number) },
  })
})

test('the id is kept over a reload, by URL and topics, and not written for each event', async () => {
  const storage = memory()
  const first = await openScene({ topics: ['a'], persist: { storage } })
  for (let i = 0; i < 100; i++) first.hub.publish('a', i)
  await first.clock.advance(1_000)
  expect(storage.writes).toBe(1)
  first.hub.publish('a', 100)
  await settle()
  first.stream.close()
  expect([...storage.values]).toEqual([['millrace:http://hub.test/events?a', 'e1-101-abc']])
  const second = await openScene({ topics: ['a'], persist: { storage } })
  expect(second.hub.requests[0]?.headers.get('last-event-id')).toBe('e1-101-abc')
  const other = await openScene({ topics: ['b'], persist: { storage } })
  expect(other.hub.requests[0]?.headers.get('last-event-id')).toBeNull()
})

test('an id that the page brings wins over one that was kept', async () => {
  const storage = memory()
  storage.values.set('k', 'e1-1-abc')
  const { hub } = await openScene({ persist: { storage, key: 'k' }, lastId: 'e1-0-abc' })
  expect(hub.requests[0]?.headers.get('last-event-id')).toBe('e1-0-abc')
})

test('storage that fails is told and costs no event', async () => {
  const storage: IdStorage = {
    getItem: () => {
      throw new Error('forbidden')
    },
    setItem: () => {
      throw new Error('full')
    },
  }
  const { clock, hub, errors, data } = await openScene({ topics: ['a'], persist: { storage } })
  hub.publish('a', 1)
  await clock.advance(1_000)
  expect(data()).toEqual([1])
  expect(errors.map(({ code, message }) => [code, message])).toEqual([
    ['storage', expect.stringContaining('forbidden')],
    ['storage', expect.stringContaining('full')],
  ])
})

test('storage that goes on to fail is told of once, and is used when it works again', async () => {
  const storage = memory()
  let isFull = true
  const full: IdStorage = {
    getItem: storage.getItem,
    setItem(key, value) {
      if (isFull) throw new Error('full')
      storage.setItem(key, value)
    },
  }
  const { clock, hub, errors } = await openScene({ topics: ['a'], persist: { storage: full } })
  for (let i = 1; i <= 10; i++) {
    hub.publish('a', i)
    await clock.advance(1_000)
  }
  expect(errors.map(({ code }) => code)).toEqual(['storage'])
  isFull = false
  hub.publish('a', 11)
  await clock.advance(1_000)
  expect([...storage.values.values()]).toEqual(['e1-11-abc'])
})

test('what a handler throws is told, and stops nobody else', async () => {
  const { hub, stream, errors, data } = await openScene({}, { listen: true })
  stream.on('*', () => {
    throw new Error('mine')
  })
  const after: unknown[] = []
  stream.on('message', ({ data: value }) => void after.push(value))
  hub.publish('a', 1)
  hub.publish('a', 2)
  await settle()
  expect(data()).toEqual([1, 2])
  expect(after).toEqual([1, 2])
  expect(errors).toMatchObject([
    { code: 'handler', cause: { message: 'mine' } },
    { code: 'handler', cause: { message: 'mine' } },
  ])
})

test('what onAttempt throws is told, and the attempt is made', async () => {
  const { stream, errors } = await openScene({
    onAttempt: () => {
      throw new Error('mine')
    },
  })
  expect(stream.status.name).toBe('open')
  expect(errors).toMatchObject([{ code: 'handler', cause: { message: 'mine' } }])
})

test('a server that is no hub is open from its head on, and told of once', async () => {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode('data: 1\n\n')),
  })
  const fetch = async (): Promise<Response> => new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  const { statuses, data } = await openScene({ fetch })
  expect(data()).toEqual([1])
  expect(statuses.map(({ name }) => name)).toEqual(['connecting', 'open'])
})

test('a handler and a listener that were taken off are not called any more', async () => {
  const { hub, stream } = await openScene()
  const calls: string[] = []
  const offs = [stream.on('*', () => void calls.push('event')), stream.onStatus(() => void calls.push('status'))]
  for (const off of offs) off()
  hub.publish('a', 1)
  hub.cutStreams()
  await settle()
  expect(calls).toEqual([])
})

test('who listens to all types gets each event once, whatever its type', async () => {
  const { hub, data } = await openScene()
  hub.publish('a', 1, '*')
  await settle()
  expect(data()).toEqual([1])
})

test('the status is one object until it changes', async () => {
  const { hub, stream } = await openScene()
  const before = stream.status
  hub.publish('a', 1)
  await settle()
  expect(stream.status).toBe(before)
})

test('the debug log has the time and all that happens', async () => {
  const lines: string[] = []
  const { hub, stream } = await openScene({ topics: ['a'], debug: (line) => void lines.push(line) })
  hub.publish('a', 1, 'tick')
  await settle()
  stream.close()
  expect(lines.every((line) => /^\[millrace \d{4}-\d\d-\d\dT[\d:.]+Z\] /.test(line))).toBe(true)
  expect(lines.map((line) => line.replace(/^\S+ \S+ /, ''))).toEqual([
    'status connecting',
    'attempt 1 by stream from the start',
    'status open',
    'event tick a e1-1-abc',
    'status closed',
  ])
})

test('parse makes of the text what the user wants', async () => {
  const { hub, data } = await openScene({ parse: (text, type) => (type === 'token' ? text : JSON.parse(text)) })
  hub.publish('a', '42', 'token')
  hub.publish('a', '42')
  await settle()
  expect(data()).toEqual(['42', 42])
})

test('a browser without URL.parse, such as Safari 17, is enough', async () => {
  const { parse } = URL
  Object.assign(URL, { parse: undefined })
  onTestFinished(() => void Object.assign(URL, { parse }))
  const { stream } = await openScene()
  expect(stream.status.name).toBe('open')
})

test('a slow reader is felt by the sender: the body is not read on', async () => {
  const { clock, hub, stream } = await openScene({ topics: ['a'], maxQueueCount: 3 }, { listen: false })
  const reader = stream[Symbol.asyncIterator]()
  for (let i = 1; i <= 10; i++) {
    hub.publish('a', i)
    await settle()
  }
  expect(hub.streams[0]?.isHeld).toBe(true)
  expect(stream.diagnostics().queuedCount).toBeLessThanOrEqual(4)
  // Nobody is taken for dead while nothing is read.
  await clock.advance(3_600_000)
  expect(stream.status.name).toBe('open')
  const seen: unknown[] = []
  for (let i = 1; i <= 10; i++) {
    const next = await reader.next()
    seen.push(next.value?.data)
  }
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  expect(hub.requests).toHaveLength(1)
})
