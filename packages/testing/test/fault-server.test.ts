import { cut, cutAt, drip, head, inside, redirect, reply, send, silence, wait, type Script } from '@millrace/testing'
import fc from 'fast-check'
import { connect } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { answerOf, faultServer } from './support/fault-server.ts'
import { askRaw, bodyOf } from './support/raw-answer.ts'

const ONE = 'id: 1\ndata: one\n\n'
const TWO = 'id: 2\ndata: two\n\n'

describe('a script', () => {
  test('that only sends has the head of an event stream, in chunks, and ends as HTTP does', async () => {
    const answer = await answerOf([send(ONE, { id: '2', data: 'two' })])
    expect(answer.text).toBe(
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n' +
        `Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n11\r\n${ONE}\r\n11\r\n${TWO}\r\n0\r\n\r\n`,
    )
    expect(answer.end).toBe('fin')
  })

  test('sends events with every field, and refuses one that is none', async () => {
    const answer = await answerOf([
      send({ id: '1', type: 'tick', topic: 'a', retryMs: 5, data: { n: 1 } }, { data: 'x\ny' }),
    ])
    expect(bodyOf(answer)).toContain('id: 1\nevent: tick\ntopic: a\nretry: 5\ndata: {"n":1}\n\n')
    expect(bodyOf(answer)).toContain('data: x\ndata: y\n\n')
    expect(() => send({ event: 'tick' } as never)).toThrow('An event to send has no event: id, type')
  })

  test('is for one request; the next request has the next one', async () => {
    const server = await faultServer({ scripts: [[reply(401)], [reply(200, { body: 'in' })]] })
    server.play([reply(204)])
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await fetch(server.origin)).status)
    expect(statuses).toEqual([401, 200, 204])
    expect(server.scriptsLeft).toBe(0)
  })

  test('that is not there is a 500 that says so, or what "otherwise" says', async () => {
    const bare = await faultServer()
    const response = await fetch(bare.origin)
    expect(response.status).toBe(500)
    expect(await response.text()).toContain('no script for request 1')
    const other = await faultServer({ otherwise: [reply(204)] })
    for (let i = 0; i < 2; i++) expect((await fetch(other.origin)).status).toBe(204)
  })

  test('has steps of the test itself, and what one throws is thrown by close', async () => {
    const server = await faultServer({
      scripts: [
        [
          async (answer) => {
            await answer.write(Buffer.from(`data: ${answer.request.url.search}\n\n`))
          },
        ],
        [
          () => {
            throw new Error('a typo')
          },
        ],
      ],
    })
    expect(await (await fetch(`${server.origin}/?a=1`)).text()).toBe('data: ?a=1\n\n')
    expect(await askRaw(server.origin)).toMatchObject({ end: 'rst', text: '' })
    await expect(server.close()).rejects.toThrow('a typo')
  })

  test.each([
    ['ends with the connection, for HTTP/1.0', [send(ONE)], 'GET / HTTP/1.0'],
    ['ends with the connection, when told', [head({ framing: 'close' }), send(ONE)], undefined],
  ])('%s', async (_name, script: Script, requestLine) => {
    const answer = await answerOf(script, [], requestLine)
    expect(bodyOf(answer)).toBe(ONE)
    expect(answer.text).not.toContain('Transfer-Encoding')
  })
})

describe('cutting', () => {
  test('at any byte sends exactly the bytes before it, by FIN and by RST', async () => {
    const whole = await answerOf([send(ONE, TWO)])
    const server = await faultServer()
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: whole.bytes.length - 1 }), fc.boolean(), async (place, isReset) => {
        server.play([cutAt(place, isReset ? 'rst' : 'fin'), send(ONE, TWO)])
        const answer = await askRaw(server.origin)
        expect(answer.bytes).toEqual(whole.bytes.subarray(0, place))
        expect(answer.end).toBe(isReset ? 'rst' : 'fin')
      }),
      { seed: 7, numRuns: 60 },
    )
    expect(server.requests.every(({ ending }) => ending === 'cut')).toBe(true)
  })

  test('before the first byte sends none', async () => {
    expect(await answerOf([cutAt(0, 'rst'), send(ONE)])).toMatchObject({ text: '', end: 'rst' })
  })

  test('inside the n-th occurrence of a text', async () => {
    const answer = await answerOf([cutAt(inside('data: ', 6, 2)), send(ONE, TWO)])
    expect(answer.text.endsWith('id: 2\ndata: ')).toBe(true)
  })

  test('as a step leaves out the last chunk: a client can tell it from an end', async () => {
    const answer = await answerOf([send(ONE), cut()])
    expect(bodyOf(answer)).toBe(`11\r\n${ONE}\r\n`)
    const server = await faultServer({ scripts: [[send(ONE), cut()]] })
    await expect(fetch(server.origin).then((response) => response.text())).rejects.toThrow('terminated')
  })

  test.each([-1, 1.5])('at byte %d is refused', (place) => {
    expect(() => cutAt(place)).toThrow(expect.objectContaining({ code: 'invalid_option' }))
  })

  test('everything that is open, and who comes while it is offline', async () => {
    const server = await faultServer({ otherwise: [send(ONE), silence()] })
    const open = askRaw(server.origin)
    await server.until('a stream', (requests) => requests.length === 1)
    server.goOffline()
    expect((await open).end).toBe('rst')
    expect(await askRaw(server.origin)).toMatchObject({ text: '', end: 'rst' })
    server.goOnline()
    const response = await fetch(server.origin)
    expect(response.status).toBe(200)
    expect(server.openCount).toBe(1)
    server.cutAll()
    await expect(response.text()).rejects.toThrow('terminated')
    expect(server.openCount).toBe(0)
    expect(server.requests).toHaveLength(2)
  })
})

describe('time', () => {
  test('a gate holds the answer until the test opens it', async () => {
    const gate = Promise.withResolvers<void>()
    const server = await faultServer({ scripts: [[send(ONE), wait(gate.promise), send(TWO)]] })
    const reader = (await fetch(server.origin)).body?.getReader()
    expect(String(Buffer.from((await reader?.read())?.value ?? []))).toBe(ONE)
    expect(server.requests[0]?.sent.includes(TWO)).toBe(false)
    gate.resolve()
    expect(String(Buffer.from((await reader?.read())?.value ?? []))).toBe(TWO)
  })

  test('a wait before the head delays it, by no less than it says', async () => {
    const startedMs = performance.now()
    const answer = await answerOf([wait(60), send(ONE)])
    expect((answer.arrivals[0]?.atMs ?? 0) - startedMs).toBeGreaterThanOrEqual(59)
  })

  test('a wait ends when the client leaves', async () => {
    const server = await faultServer({ scripts: [[wait(60_000)]] })
    const socket = connect(Number(new URL(server.origin).port), '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await server.until('the request', (requests) => requests.length === 1)
    socket.destroy()
    await server.until('the end', (requests) => requests[0]?.ending !== 'open')
    expect(server.requests[0]).toMatchObject({ ending: 'left', sent: Buffer.alloc(0) })
  })

  test('drops come one by one, each a chunk', async () => {
    const answer = await answerOf([drip('data: é\n\n', { sizeBytes: 2 })])
    const chunks = bodyOf(answer).split('\r\n')
    // Cut inside the é, which is two bytes: here decoded chunk by chunk.
    expect(answer.bytes.toString('latin1').match(/\r\n2\r\n/g)).toHaveLength(5)
    expect(chunks.at(0)).toBe('2')
    const timed = await answerOf([drip('abc', { everyMs: 30 })])
    const [first, last] = [timed.arrivals[0]?.atMs ?? 0, timed.arrivals.at(-1)?.atMs ?? 0]
    expect(last - first).toBeGreaterThanOrEqual(58)
  })
})

describe('replies', () => {
  test('Retry-After in seconds and as a date', async () => {
    const server = await faultServer({
      scripts: [
        [reply(503, { retryAfterSeconds: 2 })],
        [reply(503, { retryAfterSeconds: 2, retryAfterForm: 'date' })],
        [reply(503)],
      ],
    })
    const startedMs = Date.now()
    const values = []
    for (let i = 0; i < 3; i++) values.push((await fetch(server.origin)).headers.get('retry-after'))
    expect(values[0]).toBe('2')
    const dateMs = Date.parse(values[1] ?? '')
    expect(dateMs).toBeGreaterThanOrEqual(startedMs + 2_000)
    expect(dateMs).toBeLessThanOrEqual(Date.now() + 3_000)
    expect(values[2]).toBeNull()
  })

  test('a header that is given takes the place of the one that is there by itself, whatever its case', async () => {
    const headers = { 'content-type': 'application/json', 'content-length': '7', 'retry-after': '9' }
    const response = await fetch(
      (await faultServer({ scripts: [[reply(503, { headers, body: '{}', retryAfterSeconds: 2 })]] })).origin,
    )
    expect(response.headers.get('content-type')).toBe('application/json')
    // What the kit knows better, or was told apart, wins.
    expect(response.headers.get('content-length')).toBe('2')
    expect(response.headers.get('retry-after')).toBe('2')
    expect(await response.json()).toEqual({})
  })

  test('a redirect, and a wrong content type', async () => {
    const server = await faultServer({
      scripts: [[redirect('/there', 302)], [head({ headers: { 'Content-Type': 'text/html' } }), send('<p>')]],
    })
    const response = await fetch(server.origin)
    expect(response.url).toBe(`${server.origin}/there`)
    expect(response.headers.get('content-type')).toBe('text/html')
    expect(server.requests.map(({ url }) => url.pathname)).toEqual(['/', '/there'])
  })

  test('without a body have none, whatever their script sends', async () => {
    for (const script of [[reply(204, { body: 'x' })], [head({ status: 304 }), send('x')]]) {
      expect(bodyOf(await answerOf(script))).toBe('')
    }
    expect(bodyOf(await answerOf([send(ONE)], [], 'HEAD / HTTP/1.1'))).toBe('')
  })
})

test('a server that is closed still says where it was', async () => {
  const server = await faultServer()
  const { origin } = server
  await server.close()
  expect(server.origin).toBe(origin)
  await expect(fetch(origin)).rejects.toThrow('fetch failed')
})

describe('the record', () => {
  test('has method, URL, headers, body, id, order and time of each request', async () => {
    const server = await faultServer({ otherwise: [reply(200)] })
    await fetch(`${server.origin}/a?x=1`, { headers: { 'Last-Event-ID': Buffer.from('é').toString('latin1') } })
    await fetch(`${server.origin}/b`, { method: 'POST', body: 'hello' })
    const [first, second] = server.requests
    expect(first).toMatchObject({ number: 1, method: 'GET', lastEventId: 'é', ending: 'ended' })
    expect(second).toMatchObject({ number: 2, method: 'POST', lastEventId: undefined })
    expect(first?.url.search).toBe('?x=1')
    expect(first?.headers.get('last-event-id')).toBeDefined()
    expect(String(second?.body)).toBe('hello')
    expect(second?.atMs).toBeGreaterThanOrEqual(first?.atMs ?? Infinity)
  })

  test('tells what did come when what was waited for did not', async () => {
    const server = await faultServer({ otherwise: [reply(503)] })
    await fetch(`${server.origin}/events`, { headers: { 'Last-Event-ID': '7' } })
    await expect(server.until('A second request', (requests) => requests.length === 2, 20)).rejects.toThrow(
      'A second request did not come within 20 ms. The requests, 1 in all:\n  1. GET /events, Last-Event-ID "7" (ended)',
    )
  })
})
