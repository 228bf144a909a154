/** What comes behind a request for a stream: it never falls into the stream, and is answered when there is none. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { problemOf } from './support/hostile.ts'
import { startHubProcess, type HubProcess } from './support/hub-process.ts'
import { exchange, get, post, type Exchange } from './support/raw-http.ts'

/** `requestTimeout` of the hub, and until it looks. */
const BODY_PATIENCE_MS = 34_000
const ONLY_THE_STREAM = /^: millrace\n\nretry: \d+\n\nid: \S+\nevent: stream:connected\ndata: \S+\n\n(?:: ?\n\n)*$/
const GARBAGE = 'GARBAGE\r\n\r\n'
const CONNECT = 'CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n'
const BOGUS = get('/events?from=bogus')

let hub: HubProcess
let unfinished: Promise<Exchange>

beforeAll(async () => {
  hub = await startHubProcess()
  // It takes its time while the other tests run.
  unfinished = exchange(hub.port, [`${get('/events', 'Content-Length: 10\r\n')}{}`], {
    until: '\0',
    patienceMs: BODY_PATIENCE_MS,
  })
})
afterAll(() => hub?.stop())

describe('behind an open stream', () => {
  test.each([
    ['what is no request', GARBAGE],
    ['a broken line, again and again', '\0\r\n'.repeat(1_000)],
    ['a head that is too large', get('/', `X: ${'x'.repeat(20_000)}\r\n`)],
    ['CONNECT', CONNECT],
  ])('%s ends the connection without a byte', async (_what, bytes) => {
    const { answers, isEnded } = await exchange(hub.port, [get('/events'), bytes], {
      secondAfter: 'stream:connected',
      until: '\0',
    })
    expect(isEnded).toBe(true)
    expect(answers).toHaveLength(1)
    expect(answers[0]?.body).toMatch(ONLY_THE_STREAM)
  })

  test('in one packet with it, too', async () => {
    const { answers, isEnded } = await exchange(hub.port, [get('/events') + GARBAGE], { until: '\0' })
    expect(isEnded).toBe(true)
    expect(answers.map(({ status }) => status)).not.toContain(400)
  })

  test('a body that never comes cuts the stream after 30 s, without a byte', async () => {
    const { answers, isEnded } = await unfinished
    expect(isEnded).toBe(true)
    expect(answers).toHaveLength(1)
    expect(answers[0]?.body).toMatch(ONLY_THE_STREAM)
  })
})

describe('behind a stream that was refused, in one packet', () => {
  test.each([
    ['a request', [get('/health/live')], [400, 200]],
    ['a publication', [post('/events', '{"topic":"a","data":1}').toString(), get('/health/live')], [400, 200, 200]],
    ['refused streams, and a request', [...Array<string>(50).fill(BOGUS), get('/nothing')], [...refusals(51), 404]],
    ['what is no request', [GARBAGE], [400, 400]],
    ['a request, and what is none', [get('/health/live'), GARBAGE], [400, 200, 400]],
    ['CONNECT', [CONNECT], [400, 405]],
  ])('%s has its answer, in its turn', async (_what, behind, statuses) => {
    const { answers } = await exchange(hub.port, [BOGUS + behind.join('')], { answers: statuses.length })
    expect(answers.map(({ status }) => status)).toEqual(statuses)
    expect(problemOf(answers[0])).toEqual({ status: 400, detail: expect.stringContaining('"bogus"') })
  })

  test('a stream opens', async () => {
    const { answers } = await exchange(hub.port, [BOGUS + get('/events')], { answers: 2, until: 'stream:connected' })
    expect(answers.map(({ status }) => status)).toEqual([400, 200])
  })

  test('a stream opens, and what is behind that ends the connection', async () => {
    const { answers, isEnded } = await exchange(hub.port, [BOGUS + get('/events') + get('/health/live')], {
      until: '\0',
    })
    expect(isEnded).toBe(true)
    expect(answers.length).toBeLessThanOrEqual(2)
  })

  test('more requests than may wait end the connection', async () => {
    const { isEnded } = await exchange(hub.port, [BOGUS.repeat(500)], { until: '\0' })
    expect(isEnded).toBe(true)
    expect((await fetch(`${hub.url}/health/live`)).status).toBe(200)
  })
})

describe('behind other requests', () => {
  test('what is no request is said so after their answers', async () => {
    const { answers } = await exchange(hub.port, [get('/health/live') + get('/nothing') + GARBAGE], {
      answers: 3,
    })
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 400])
    expect(problemOf(answers[2]).detail).toContain('HTTP/1.1')
  })

  test('a chunk that is none is the answer to its request', async () => {
    const head = `POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
    const { answers } = await exchange(hub.port, [`${head}zz\r\n`])
    expect(answers.map(({ status }) => status)).toEqual([400])
  })
})

function refusals(count: number): number[] {
  return Array<number>(count).fill(400)
}
