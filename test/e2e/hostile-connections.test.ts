/** Connections that drip, pipeline, and come by the thousand: each is answered or ended, and memory stays flat. */
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { expectNothingStored, problemOf } from './support/hostile.ts'
import { startHubProcess, type HubProcess } from './support/hub-process.ts'
import { exchange, get, post, type Exchange } from './support/raw-http.ts'

const MIB = 1024 * 1024
/** `headersTimeout` and `requestTimeout` of the hub, and a second each until it looks. */
const HEAD_PATIENCE_MS = 14_000
const BODY_PATIENCE_MS = 34_000
const HALF_A_HEAD = 'GET /events HTTP/1.1\r\nHost: lo'

let hub: HubProcess
let slowHeads: Promise<Exchange[]>
let slowBodies: Promise<Exchange[]>

beforeAll(async () => {
  hub = await startHubProcess()
  // They take their time while the other tests run.
  slowHeads = Promise.all(
    Array.from({ length: 20 }, () => drip(get('/events', `X: ${'x'.repeat(200)}\r\n`), HEAD_PATIENCE_MS)),
  )
  const slow = post('/events', JSON.stringify({ topic: 'a', data: 'x'.repeat(1_000) }))
  slowBodies = Promise.all(Array.from({ length: 20 }, () => drip(slow, BODY_PATIENCE_MS)))
})
afterAll(() => hub?.stop())

describe('pipelined requests', () => {
  test('answers come in the order of the requests', async () => {
    const { answers } = await exchange(hub.port, [get('/health/live') + get('/nothing') + get('/health/ready')], {
      answers: 3,
    })
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 200])
  })

  test('a stream after another request starts when that is answered', async () => {
    const { answers } = await exchange(hub.port, [get('/health/live') + get('/events')], {
      answers: 2,
      until: 'stream:connected',
    })
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(answers[1]?.headers.get('content-type')).toBe('text/event-stream')
  })

  test.each([
    ['another stream', get('/events?topic=second')],
    ['a request', get('/health/live')],
    ['an event', post('/events', '{"topic":"a","data":1}').toString()],
    ['5,000 streams', get('/events').repeat(5_000)],
  ])(
    '%s behind a stream ends the connection, is not looked at, and never falls into the stream',
    async (_what, behind) => {
      const before = hub.rssBytes()
      const { answers, isEnded } = await exchange(hub.port, [get('/events?topic=first'), behind], {
        secondAfter: 'stream:connected',
        until: '\0',
      })
      expect(isEnded).toBe(true)
      expect(answers).toHaveLength(1)
      expect(answers[0]?.status).toBe(200)
      expect(answers[0]?.body).toMatch(/^: millrace\n\nretry: \d+\n\nid: \S+\nevent: stream:connected\ndata: \S+\n\n$/)
      await nobodyIsLeft(hub)
      await expectNothingStored(hub.port)
      expect(hub.rssBytes() - before).toBeLessThan(32 * MIB)
    },
  )

  test('a stream with another at once behind it, in one packet, is no stream', async () => {
    const { isEnded } = await exchange(hub.port, [get('/events') + get('/events')], { until: '\0' })
    expect(isEnded).toBe(true)
    await nobodyIsLeft(hub)
  })
})

describe('clients that leave', () => {
  test.each([
    ['before they say anything', ''],
    ['inside the request line', 'GET /ev'],
    ['inside a header', 'GET /events HTTP/1.1\r\nHo'],
    ['before the blank line', 'GET /events HTTP/1.1\r\nHost: localhost\r\n'],
    ['as soon as they have asked', get('/events')],
    ['inside a body', post('/events', '{"topic":"a","data":1}').subarray(0, -5)],
  ])('%s, by FIN and by RST', async (_where, bytes) => {
    for (let i = 0; i < 50; i++) {
      const socket = connect({ port: hub.port, host: '127.0.0.1' })
      socket.on('error', () => undefined)
      await new Promise((resolve) => socket.once('connect', resolve))
      await new Promise((resolve) => socket.write(bytes || '\r', resolve))
      if (i % 2 === 0) socket.resetAndDestroy()
      else socket.destroy()
    }
    await nobodyIsLeft(hub)
    await expectNothingStored(hub.port)
    expect(hub.output.stderr).toBe('')
  })
})

test('thousands of hostile requests leave memory as it was', async () => {
  const own = await startHubProcess()
  onTestFinished(() => own.stop())
  const event = '{"topic":"a","data":1}'
  const requests: readonly (string | Uint8Array)[] = [
    post('/events', '{'),
    post('/events', '['.repeat(100_000) + ']'.repeat(100_000)),
    post('/events', `[${`${event},`.repeat(9_999)}{}]`),
    post('/events', `{"topic":"${'a'.repeat(900_000)}","data":1}`),
    post('/events', 'x'.repeat(1.1 * MIB)),
    post('/events', Buffer.alloc(10_000, 0xff)),
    post('/events', event, 'Content-Type: text/plain\r\n'),
    post('/events', `{"${'x'.repeat(60_000)}":1}`),
    post('/nothing', event),
    get(`/events?topic=${'a,'.repeat(5_000)}`),
    get('/events', `Last-Event-ID: ${'x'.repeat(10_000)}\r\nAccept: text/html\r\n`),
    get('/events', 'a:\r\n'.repeat(10_000)),
    get(`/${'x'.repeat(10_000)}`),
    'GET /events HTTP/1.1\r\n\r\n',
    'BREW /events HTTP/1.1\r\n\r\n',
    'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
    Buffer.alloc(5_000),
    HALF_A_HEAD,
  ]
  await flood(own, requests, 400)
  await nobodyIsLeft(own)
  const before = await own.liveBytes()
  await flood(own, requests, 3_000)
  await nobodyIsLeft(own)
  const grown = (await own.liveBytes()) - before
  expect(grown).toBeLessThan(MIB)
  expect(own.rssBytes()).toBeLessThan(512 * MIB)
  await expectNothingStored(own.port)
})

describe('slow requests', () => {
  test('a head that drips is answered with 408 after 10 s', async () => {
    for (const { answers, isEnded } of await slowHeads) {
      expect(isEnded).toBe(true)
      expect(problemOf(answers[0])).toEqual({ status: 408, detail: expect.stringContaining('in time') })
    }
  })

  test('a body that drips is answered with 408 after 30 s, and nothing of it is stored', async () => {
    for (const { answers, isEnded } of await slowBodies) {
      expect(isEnded).toBe(true)
      expect(problemOf(answers[0])).toEqual({ status: 408, detail: expect.stringContaining('in time') })
    }
    await expectNothingStored(hub.port)
    await nobodyIsLeft(hub)
  })
})

async function nobodyIsLeft({ url }: HubProcess): Promise<void> {
  const endMs = performance.now() + 5_000
  for (;;) {
    const { connections } = (await (await fetch(`${url}/admin/connections`)).json()) as { connections: unknown[] }
    if (connections.length === 0) return
    if (performance.now() > endMs) throw new Error(`${connections.length} connections are left after 5 s`)
    await pause(20)
  }
}

/** Sends a request a byte at a time, ten a second. */
function drip(request: string | Uint8Array, patienceMs: number): Promise<Exchange> {
  const bytes = Array.from(Buffer.from(request), (byte) => Uint8Array.of(byte))
  return exchange(hub.port, bytes, { betweenMs: 100, patienceMs })
}

/** Sends the requests round and round, from eight connections at once; each is answered or ended. */
async function flood({ port }: HubProcess, requests: readonly (string | Uint8Array)[], count: number): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      const request = requests[next++ % requests.length] ?? ''
      const { answers } = await exchange(port, [request], { patienceMs: request === HALF_A_HEAD ? 5 : 5_000 })
      const status = answers[0]?.status ?? 0
      if (request !== HALF_A_HEAD && (status < 400 || status > 499)) {
        throw new Error(`${status} for ${String(request).slice(0, 60)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}
