/** Heads, methods, targets and queries that no client should send, and all that this version does not build. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { expectNothingStored, problemOf } from './support/hostile.ts'
import { startHubProcess, type HubProcess } from './support/hub-process.ts'
import { ask, exchange, get, post } from './support/raw-http.ts'

let hub: HubProcess

beforeAll(async () => {
  hub = await startHubProcess()
})
afterAll(() => hub?.stop())
afterEach(() => expectNothingStored(hub.port))

describe('heads', () => {
  test.each([
    ['10,000 headers', get('/events', 'a:\r\n'.repeat(10_000)), 431, '16 KiB'],
    ['10,000 long headers', get('/events', `X: ${'a'.repeat(1_000)}\r\n`.repeat(10_000)), 431, '16 KiB'],
    ['one header of 1 MB', get('/events', `X: ${'a'.repeat(1e6)}\r\n`), 431, '16 KiB'],
    ['a Last-Event-ID of 20 kB', get('/events', `Last-Event-ID: ${'a'.repeat(20_000)}\r\n`), 431, '16 KiB'],
    ['no Host', 'GET /events HTTP/1.1\r\n\r\n', 400, 'no Host'],
    ['two Hosts', 'GET /events HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n', 400, '2 Host headers'],
    ['a second Host', 'GET /events HTTP/1.1\r\nHost: localhost\r\nHost: evil.test\r\n\r\n', 400, '2 Host headers'],
    ['an empty Host', 'GET /events HTTP/1.1\r\nHost:\r\n\r\n', 403, 'Host is ""'],
    ['the Host of another site', 'GET /events HTTP/1.1\r\nHost: evil.test\r\n\r\n', 403, '"evil.test"'],
    [
      'a Host that begins well',
      'GET /events HTTP/1.1\r\nHost: localhost.evil.test\r\n\r\n',
      403,
      'localhost.evil.test',
    ],
    ['a Host with a user', 'GET /events HTTP/1.1\r\nHost: localhost@evil.test\r\n\r\n', 403, 'evil.test'],
    ['a Host with a path', 'GET /events HTTP/1.1\r\nHost: localhost/evil\r\n\r\n', 403, 'localhost/evil'],
    ['the Origin of another site', get('/events', 'Origin: http://evil.test\r\n'), 403, 'http://evil.test'],
    ['the Origin of a file or sandbox', get('/events', 'Origin: null\r\n'), 403, '"null"'],
    ['the Origin of another port', get('/events', 'Origin: http://localhost:1\r\n'), 403, 'localhost:1'],
    ['a folded header', get('/events', 'X: a\r\n b\r\n'), 400, 'HTTP/1.1'],
    ['a space before the colon', get('/events', 'X : a\r\n'), 400, 'HTTP/1.1'],
    ['NUL in a header', get('/events', 'X: a\0b\r\n'), 400, 'HTTP/1.1'],
    ['CR in a header', get('/events', 'X: a\rb\r\n'), 400, 'HTTP/1.1'],
    ['a header without a name', get('/events', ': a\r\n'), 400, 'HTTP/1.1'],
    ['lines that end in LF alone', 'GET /events HTTP/1.1\nHost: localhost\n\n', 400, 'HTTP/1.1'],
    ['HTTP/2.0 in a line of HTTP/1', 'GET /events HTTP/2.0\r\nHost: localhost\r\n\r\n', 505, 'HTTP/2.0'],
    ['HTTP/3.7', 'GET /events HTTP/3.7\r\nHost: localhost\r\n\r\n', 400, 'HTTP/1.1'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'HTTP/1.1'],
    ['a TLS hello', Buffer.from('16030100f1010000ed0303', 'hex'), 400, 'HTTP/1.1'],
    ['zeros', Buffer.alloc(1_000), 400, 'HTTP/1.1'],
    ['Accept of a page', get('/events', 'Accept: text/html\r\n'), 406, 'text/event-stream'],
  ])('%s', async (_name, request, status, words) => {
    expect(problemOf(await ask(hub.port, request))).toEqual({ status, detail: expect.stringContaining(words) })
  })

  test('two Last-Event-IDs are none that this hub made: the stream says so', async () => {
    const headers = 'Last-Event-ID: a\r\nLast-Event-ID: b\r\n'
    const { answers } = await exchange(hub.port, [get('/events', headers)], { until: '"from":"a, b"' })
    expect(answers[0]?.body).toContain('{"reason":"unknown_id","from":"a, b"')
  })
})

describe('methods and targets', () => {
  test.each([
    ['PATCH', 405, 'GET, POST'],
    ['PUT', 405, 'GET, POST'],
    ['DELETE', 405, 'GET, POST'],
    ['OPTIONS', 405, 'GET, POST'],
    ['TRACE', 405, 'GET, POST'],
    ['PURGE', 405, 'GET, POST'],
    ['BREW', 400, 'HTTP/1.1'],
    ['get', 400, 'HTTP/1.1'],
  ])('%s /events', async (method, status, words) => {
    const answer = await ask(hub.port, `${method} /events HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    expect(problemOf(answer)).toEqual({ status, detail: expect.stringContaining(words) })
  })

  test('CONNECT', async () => {
    const answer = await ask(hub.port, 'CONNECT evil.test:80 HTTP/1.1\r\nHost: evil.test:80\r\n\r\n')
    expect(problemOf(answer)).toEqual({ status: 405, detail: expect.stringContaining('not a proxy') })
  })

  test('HEAD gets a head, and leaves no stream behind', async () => {
    const head = 'HEAD /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
    const { answers, isEnded } = await exchange(hub.port, [head], { until: '\0', patienceMs: 2_000 })
    expect(answers[0]).toMatchObject({ status: 405, body: '' })
    expect(answers[0]?.headers.get('allow')).toBe('GET, POST')
    expect(isEnded).toBe(true)
    expect(await connections(hub)).toEqual([])
  })

  test.each([
    ['an unknown path', get('/nothing'), 404, '"/nothing"'],
    ['an unknown path, by POST', post('/nothing', '{}'), 404, '"/nothing"'],
    ['a slash at the end', get('/events/'), 404, '"/events/"'],
    ['two slashes', get('//events'), 404, '"//events"'],
    ['capitals', get('/EVENTS'), 404, '"/EVENTS"'],
    ['dots', get('/x/../events'), 404, '"/x/../events"'],
    ['a path of 10 kB', get(`/${'a'.repeat(10_000)}`), 404, '"/aaa'],
    ['a lone percent sign', get('/%'), 400, '/%'],
    ['bytes that are no UTF-8', get('/%FF'), 400, '%FF'],
    [
      'an id that is too long',
      `DELETE /admin/connections/${'a'.repeat(5_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      414,
      '/admin/connections',
    ],
    ['an id of nobody', 'DELETE /admin/connections/__proto__ HTTP/1.1\r\nHost: localhost\r\n\r\n', 404, '"__proto__"'],
    ['the whole server', 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n', 405, '"*"'],
    ['a whole URL of another site', get('http://evil.test/events'), 403, '"evil.test"'],
  ])('%s', async (_name, request, status, words) => {
    const answer = await ask(hub.port, request)
    expect(problemOf(answer)).toEqual({ status, detail: expect.stringContaining(words) })
  })

  test('a whole URL of this hub is understood (RFC 9112, 3.2.2)', async () => {
    const { answers } = await exchange(hub.port, [get('http://127.0.0.1/events?topic=a')], {
      until: 'stream:connected',
    })
    expect(answers[0]?.status).toBe(200)
    expect((await ask(hub.port, get('http://localhost/health/live'))).status).toBe(200)
  })
})

describe('[MR-TOPIC-2] queries of a stream', () => {
  test.each([
    ['20,000 topics', list(20_000), 431, '16 KiB'],
    ['101 topics', list(101), 400, '101 topics'],
    ['1,000 topics, one parameter each', Array.from({ length: 1_000 }, (_, i) => `topic=t${i}`).join('&'), 400, '1000'],
    ['an empty topic', 'topic=', 400, 'empty'],
    ['an empty topic between others', 'topic=a,,b', 400, 'empty'],
    ['a line break', 'topic=a%0Ab', 400, 'control characters'],
    ['NUL', 'topic=%00', 400, 'control characters'],
    ['a byte that UTF-8 never has', 'topic=%FF', 400, 'percent-encoded UTF-8'],
    ['half an escape', 'topic=a%2', 400, 'percent-encoded UTF-8'],
    ['a wildcard inside a segment', 'topic=a.b*', 400, 'wildcard'],
    ['> before the end', 'topic=>.a', 400, 'last segment'],
    ['257 bytes', `topic=${'a'.repeat(257)}`, 400, '256 bytes'],
    ['101 types', Array.from({ length: 101 }, (_, i) => `type=t${i}`).join('&'), 400, '101 types'],
    ['an empty type', 'type=', 400, 'type'],
    ['from=', 'from=then', 400, '"then"'],
    ['name=', 'name=id', 400, '"id"'],
    ['envelope=', 'envelope=yes', 400, '"yes"'],
  ])('%s', async (_name, query, status, words) => {
    const answer = await ask(hub.port, get(`/events?${query}`))
    expect(problemOf(answer)).toEqual({ status, detail: expect.stringContaining(words) })
  })

  test('unknown parameters are ignored', async () => {
    const { answers } = await exchange(hub.port, [get('/events?utm_source=%FF&__proto__=1&constructor')], {
      until: 'stream:connected',
    })
    expect(answers[0]?.status).toBe(200)
  })
})

describe('[MR-HTTP-6] what is not built answers 400 and says so', () => {
  test.each<[string, string | Buffer]>([
    ['a ticket', get('/events?ticket=x')],
    ['partial grants', get('/events?partial=1')],
    ['renewing a grant', post('/events/x/authorization', '{}')],
    ['tickets', post('/tickets', '')],
    ['revoking', post('/admin/revoke', '{}')],
    ...['/presence?topic=a', '/', '/.well-known/mercure'].map((path): [string, string] => [path, get(path)]),
  ])('%s', async (_name, request) => {
    expect(problemOf(await ask(hub.port, request))).toEqual({
      status: 400,
      detail: expect.stringMatching(/not built yet|are not built/),
    })
  })
})

async function connections({ url }: HubProcess): Promise<unknown[]> {
  const response = await fetch(`${url}/admin/connections`)
  return ((await response.json()) as { connections: unknown[] }).connections
}

function list(count: number): string {
  return `topic=${Array.from({ length: count }, (_, i) => `t${i}`).join()}`
}
