/** What no publisher should send: each is refused with a clear problem, and nothing of it is stored. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { expectNothingStored, problemOf } from './support/hostile.ts'
import { startHubProcess, type HubProcess } from './support/hub-process.ts'
import { ask, exchange, post } from './support/raw-http.ts'
import { isPublished, openStream } from './support/stream-reader.ts'

const MIB = 1024 * 1024
let hub: HubProcess

beforeAll(async () => {
  hub = await startHubProcess()
})
afterAll(() => hub?.stop())

describe('refused, and nothing stored', () => {
  afterEach(() => expectNothingStored(hub.port))

  test.each([
    ['an empty body', '', 400, 'empty'],
    ['null', 'null', 400, 'The event is null'],
    ['a number', '42', 400, 'The event is a number'],
    ['a string', '"hello"', 400, 'The event is a string'],
    ['an array of arrays', '[[]]', 400, 'Event 0 is an array'],
    ['an array with a hole', '[{"topic":"a","data":1},null]', 400, 'Event 1 is null'],
    ['an object without a topic', '{"data":1}', 400, 'no "topic"'],
    ['an object without data', '{"topic":"a"}', 400, 'no "data"'],
    ['half an object', '{"topic":"a","data":', 400, 'not JSON'],
    ['two objects', '{"topic":"a","data":1}{"topic":"a","data":1}', 400, 'not JSON'],
    ['NaN', '{"topic":"a","data":NaN}', 400, 'not JSON'],
    ['a comment', '{"topic":"a","data":1}//', 400, 'not JSON'],
    ['a raw line break in a string', '{"topic":"a","data":"one\ntwo"}', 400, 'not JSON'],
    ['a form', 'topic=a&data=1', 400, 'not JSON'],
    ['a typo', '{"topc":"a","data":1}', 400, 'Did you mean "topic"?'],
    ['a typo in the case', '{"topic":"a","Data":1}', 400, 'Did you mean "data"?'],
    ['a field name with a line break', '{"topic":"a","data":1,"id\\nid":"x"}', 400, 'no field "id\\nid"'],
    ['a very long field name', `{"topic":"a","data":1,"${'x'.repeat(10_000)}":1}`, 400, 'no field'],
    ['an id of one’s own', '{"topic":"a","data":1,"id":"x"}', 400, 'no field "id"'],
    ['__proto__ as the event', '{"__proto__":{"topic":"a","data":1}}', 400, 'no field "__proto__"'],
    ['__proto__ beside the event', '{"topic":"a","data":1,"__proto__":{"x":1}}', 400, 'no field "__proto__"'],
    ['constructor', '{"topic":"a","data":1,"constructor":{}}', 400, 'no field "constructor"'],
    ['arrays nested 100,000 deep', '['.repeat(100_000) + ']'.repeat(100_000), 400, 'an array'],
    [
      'data nested 100,000 deep',
      `{"topic":"a","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      400,
      'data is nested too deeply',
    ],
    [
      'data nested 20,000 deep',
      `{"topic":"a","data":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`,
      400,
      'data is nested too deeply',
    ],
    ['10,001 events', `[${Array(10_001).fill('{"topic":"a","data":1}').join()}]`, 400, '10001 events'],
    ['an event of 65 KiB', `{"topic":"a","data":"${'x'.repeat(65 * 1024)}"}`, 413, 'maxEventBytes'],
    ['an event of 65 KiB of UTF-8', `{"topic":"a","data":"${'漢'.repeat(22 * 1024)}"}`, 413, 'maxEventBytes'],
    ['a topic of 900 kB', `{"topic":"${'a'.repeat(900_000)}","data":1}`, 400, '256 bytes'],
    ['a topic of 10 MB', `{"topic":"${'a'.repeat(10_000_000)}","data":1}`, 413, '1 MiB'],
    ['a body just over 1 MiB', ' '.repeat(MIB + 1), 413, '1 MiB'],
    [
      'the last of 1,000 events is bad',
      `[${'{"topic":"a","data":1},'.repeat(999)}{"topic":"a b","data":1}]`,
      400,
      '"a b"',
    ],
  ])('%s', async (_name, body, status, words) => {
    expect(problemOf(await ask(hub.port, post('/events', body)))).toEqual({
      status,
      detail: expect.stringContaining(words),
    })
  })

  test.each([
    ['a lone continuation byte', [0x80]],
    ['a byte that UTF-8 never has', [0xff]],
    ['an overlong NUL', [0xc0, 0x80]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point past the last', [0xf4, 0x90, 0x80, 0x80]],
    ['a character that is cut', [0xf0, 0x9f, 0x98]],
    ['UTF-16', [...Buffer.from('\ufeffx', 'utf16le')]],
  ])('invalid UTF-8 in the data: %s', async (_name, bytes) => {
    const body = Buffer.concat([Buffer.from('{"topic":"a","data":"'), Buffer.from(bytes), Buffer.from('"}')])
    expect(problemOf(await ask(hub.port, post('/events', body)))).toEqual({
      status: 400,
      detail: expect.stringContaining('UTF-8'),
    })
  })

  const badTopics: readonly (readonly [name: string, topic: unknown])[] = [
    ['LF', 'a\nb'],
    ['CR', 'a\rb'],
    ['CRLF and a field', 'a\r\ndata: forged'],
    ['NUL', 'a\0b'],
    ['TAB', 'a\tb'],
    ['DEL', 'a\x7fb'],
    ['NEL', 'a\x85b'],
    ['a space', 'a b'],
    ['a comma', 'a,b'],
    ['a lone surrogate', 'a\ud800b'],
    ['nothing', ''],
    ['a dot', '.'],
    ['an empty segment', 'a..b'],
    ['a dot at the start', '.a'],
    ['a dot at the end', 'a.'],
    ['a wildcard', 'a.*'],
    ['all', '>'],
    ['open', 'open'],
    ['error', 'error'],
    ['a control event', 'stream:sync-required'],
    ['257 bytes', 'a'.repeat(257)],
    ['257 bytes of UTF-8', `${'é'.repeat(128)}a`],
    ['17 segments', Array(17).fill('a').join('.')],
    ['null', null],
    ['a number', 7],
    ['an array', ['a']],
    ['an object', { toString: 'a' }],
  ]
  test.each(badTopics)('[MR-TOPIC-1] [MR-TOPIC-5] a topic with %s', async (_name, topic) => {
    expect(problemOf(await ask(hub.port, post('/events', JSON.stringify({ topic, data: 1 }))))).toEqual({
      status: 400,
      detail: expect.any(String),
    })
  })

  const badTypes: readonly (readonly [name: string, type: unknown])[] = [
    ['LF', 'a\nb'],
    ['CR', 'a\rb'],
    ['CRLF and a field', 'a\r\nid: forged'],
    ['NUL', 'a\0b'],
    ['ESC', '\x1b[31m'],
    ['a lone surrogate', '\udfff'],
    ['nothing', ''],
    ['open', 'open'],
    ['error', 'error'],
    ['a control event', 'stream:shutdown'],
    ['257 characters', 't'.repeat(257)],
    ['null', null],
    ['a number', 7],
    ['an array', ['a']],
  ]
  test.each(badTypes)('[MR-CTL-9] a type with %s', async (_name, type) => {
    expect(problemOf(await ask(hub.port, post('/events', JSON.stringify({ topic: 'a', type, data: 1 }))))).toEqual({
      status: 400,
      detail: expect.stringContaining('type'),
    })
  })

  test.each([
    ['none', '', 415, 'missing'],
    ['text/plain, as a page of another site could send', 'Content-Type: text/plain\r\n', 415, 'application/json'],
    ['a form', 'Content-Type: application/x-www-form-urlencoded\r\n', 415, '"application/x-www-form-urlencoded"'],
    ['nonsense', 'Content-Type: ;;;\r\n', 415, 'application/json'],
    ['a coded body', 'Content-Type: application/json\r\nContent-Encoding: gzip\r\n', 415, '"gzip"'],
    ['a coded body of lines', 'Content-Type: application/x-ndjson\r\nContent-Encoding: br\r\n', 415, '"br"'],
  ])('a content type: %s', async (_name, headers, status, words) => {
    expect(problemOf(await ask(hub.port, post('/events', '{"topic":"a","data":1}', headers)))).toEqual({
      status,
      detail: expect.stringContaining(words),
    })
  })

  test.each([
    ['key', 7],
    ['key', 'k'.repeat(257)],
    ['ephemeral', 'yes'],
    ['dedupeKey', ''],
    ['except', 'a\nb'],
    ['end', 1],
  ])('a %s that is %j', async (field, value) => {
    const body = JSON.stringify({ topic: 'a', data: 1, [field]: value })
    expect(problemOf(await ask(hub.port, post('/events', body)))).toEqual({
      status: 400,
      detail: expect.stringContaining(`${field} `),
    })
  })

  const chunkedHead = 'POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
  const event = '{"topic":"a","data":1}'
  const chunk = `${event.length.toString(16)}\r\n${event}\r\n0\r\n\r\n`
  test.each([
    [
      'a length as well as chunks',
      `${chunkedHead}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
      400,
    ],
    ['two lengths', `${chunkedHead}Content-Length: 22\r\nContent-Length: 5\r\n\r\n${event}`, 400],
    ['a negative length', `${chunkedHead}Content-Length: -22\r\n\r\n${event}`, 400],
    ['a length with a sign', `${chunkedHead}Content-Length: +22\r\n\r\n${event}`, 400],
    ['a length that is no number', `${chunkedHead}Content-Length: 0x16\r\n\r\n${event}`, 400],
    ['chunked twice', `${chunkedHead}Transfer-Encoding: chunked, chunked\r\n\r\n${chunk}`, 400],
    ['chunked, then gzip', `${chunkedHead}Transfer-Encoding: chunked, gzip\r\n\r\n${chunk}`, 400],
    // RFC 9112, 6.1 has 501 for a coding that is understood by others.
    ['an unknown coding', `${chunkedHead}Transfer-Encoding: xchunked\r\n\r\n${chunk}`, 501],
    ['gzip, then chunked', `${chunkedHead}Transfer-Encoding: gzip, chunked\r\n\r\n${chunk}`, 501],
    ['a space before the colon', `${chunkedHead}Transfer-Encoding : chunked\r\n\r\n${chunk}`, 400],
    [
      'a chunk size that is no number',
      `${chunkedHead}Transfer-Encoding: chunked\r\n\r\nzz\r\n${event}\r\n0\r\n\r\n`,
      400,
    ],
    ['a chunk longer than it says', `${chunkedHead}Transfer-Encoding: chunked\r\n\r\n2\r\n${event}\r\n0\r\n\r\n`, 400],
    [
      'a chunk extension of 100 kB',
      `${chunkedHead}Transfer-Encoding: chunked\r\n\r\n16;${'x'.repeat(1e5)}\r\n${event}\r\n0\r\n\r\n`,
      400,
    ],
  ])('framing: %s', async (_name, request, status) => {
    expect(problemOf(await ask(hub.port, request))).toEqual({ status, detail: expect.any(String) })
  })

  test('10 MB in chunks, without a length', async () => {
    const piece = `10000\r\n${'a'.repeat(65_536)}\r\n`
    const head = `${chunkedHead}Transfer-Encoding: chunked\r\n\r\n`
    expect(problemOf(await ask(hub.port, head, ...Array(160).fill(piece), '0\r\n\r\n'))).toEqual({
      status: 413,
      detail: expect.stringContaining('1 MiB'),
    })
  })

  test('a length that the body does not reach before the client leaves', async () => {
    const { answers } = await exchange(hub.port, [`${chunkedHead}Content-Length: 100\r\n\r\n${event}`], {
      patienceMs: 200,
    })
    expect(answers).toEqual([])
  })
})

describe('stored as it is, and never as more than it is', () => {
  let own: HubProcess

  beforeAll(async () => {
    own = await startHubProcess()
  })
  afterAll(() => own?.stop())

  test.each([
    ['a forged event', 'x\n\nid: forged\nevent: stream:sync-required\ndata: {}\n\n'],
    ['fields after CR', 'x\rid: forged\rdata: y'],
    ['fields after CRLF', 'x\r\n\r\nid: forged\r\ndata: y\r\n\r\n'],
    ['NUL', 'a\0b'],
    ['only line breaks', '\n\n\n'],
    ['nothing', ''],
    ['a space first', ' x'],
    ['a colon first', ': not a comment'],
    ['a byte order mark', '\ufeffx'],
    ['a lone surrogate, which UTF-8 cannot carry', 'a\ud800b'],
    ['line ends that are none in a stream', 'a\u2028b\u2029c\x85d\x0be\x0cf'],
    ['an object with __proto__', { nested: JSON.parse('{"__proto__":{"polluted":true}}') as unknown }],
  ])('[MR-ENC-3] data with %s', async (_name, data) => {
    const text = typeof data === 'string' ? data.toWellFormed().replaceAll(/\r\n?/g, '\n') : JSON.stringify(data)
    const plain = await openStream(`${own.url}/events?name=topic`)
    const enveloped = await openStream(`${own.url}/events?envelope=1`)
    const answer = await ask(
      own.port,
      post(
        '/events',
        JSON.stringify([
          { topic: 'a', data },
          { topic: 'z', data: 'end' },
        ]),
      ),
    )
    expect(answer.status).toBe(200)
    const { ids } = JSON.parse(answer.body) as { ids: string[] }
    await plain.until(({ data: last }) => last === 'end')
    expect(plain.events).toEqual([
      { id: ids[0], event: 'a', topic: 'a', data: text },
      { id: ids[1], event: 'z', topic: 'z', data: 'end' },
    ])
    const [first] = (await enveloped.until(isPublished)).slice(-1)
    expect(JSON.parse(first?.data ?? '')).toMatchObject({
      id: ids[0],
      topic: 'a',
      data: typeof data === 'string' ? data.toWellFormed() : data,
    })
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})
