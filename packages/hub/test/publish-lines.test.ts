import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { defaultHubSettings } from '../src/hub-settings.ts'
import { startHubServer, type HubServer, type HubServerOptions } from '../src/http/hub-server.ts'

const TYPE = { 'Content-Type': 'application/x-ndjson' }
let server: HubServer

beforeAll(async () => {
  server = await start()
})
afterAll(async () => {
  await server.close({ drainMs: 0 })
  if (faults.length > 0) throw new AggregateError(faults, 'The hub had faults')
})

const faults: unknown[] = []

function start(options: HubServerOptions = {}): Promise<HubServer> {
  const settings = { ...defaultHubSettings, log: 'memory:', port: 0 } as const
  return startHubServer(settings, { onError: (error) => faults.push(error), ...options })
}

interface Answer {
  readonly id?: string | null
  readonly error?: { readonly status: number; readonly detail: string; readonly line?: number }
}

interface Answered {
  readonly status: number
  readonly type: string | undefined
  readonly lines: readonly Answer[]
}

async function publish(body: string | Uint8Array, to: HubServer = server): Promise<Answered> {
  const response = await fetch(`${to.url}/events`, { method: 'POST', headers: TYPE, body: body as string })
  return answered(response.status, response.headers.get('content-type') ?? undefined, await response.text())
}

function answered(status: number, type: string | undefined, text: string): Answered {
  const lines = text.split('\n')
  // Each answer has its end.
  expect(lines.pop()).toBe('')
  return { status, type, lines: lines.map((line) => JSON.parse(line) as Answer) }
}

/** What the log has of a topic. */
async function stored(topic: string, on: HubServer = server): Promise<string[]> {
  const found: string[] = []
  for await (const event of on.hub.subscribe({ topics: [topic, `${topic}.end`], from: 'earliest' })) {
    if (!('data' in event)) continue
    if (event.topic === `${topic}.end`) return found
    found.push(String(event.data))
  }
  return found
}

async function expectStored(topic: string, data: readonly unknown[], on: HubServer = server): Promise<void> {
  await on.hub.publish({ topic: `${topic}.end`, data: '' })
  expect(await stored(topic, on)).toEqual(data.map(String))
}

const line = (topic: string, data: unknown): string => JSON.stringify({ topic, data })
const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** A publisher that says when it sends what. */
class SlowPublisher {
  readonly request: ClientRequest
  readonly response: Promise<IncomingMessage>
  text = ''

  constructor(url: string) {
    this.request = request(`${url}/events`, { method: 'POST', headers: TYPE, agent: false })
    this.response = new Promise((resolve, reject) => this.request.once('response', resolve).once('error', reject))
    this.response.then(
      (response) => response.setEncoding('utf8').on('data', (part: string) => (this.text += part)),
      () => undefined,
    )
    this.request.flushHeaders()
  }

  send(bytes: string | Uint8Array): void {
    this.request.write(bytes)
  }

  async until(isSo: (text: string) => boolean): Promise<void> {
    const endMs = performance.now() + 10_000
    while (!isSo(this.text)) {
      if (performance.now() > endMs) throw new Error(`It did not happen; there is ${JSON.stringify(this.text)}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** How many answers there are. */
  untilAnswers(wanted: number): Promise<void> {
    return this.until((text) => text.split('\n').length - 1 >= wanted)
  }

  async end(): Promise<Answered> {
    this.request.end()
    const response = await this.response
    if (!response.complete) await new Promise((resolve) => response.once('end', resolve))
    return answered(response.statusCode ?? 0, response.headers['content-type'], this.text)
  }
}

describe('one event a line', () => {
  test('is stored in the order of the lines, each answered with its id', async () => {
    const { status, type, lines } = await publish(
      count(3_000)
        .map((i) => `${line('many', i)}\n`)
        .join(''),
    )
    expect([status, type]).toEqual([200, 'application/x-ndjson'])
    expect(lines).toHaveLength(3_000)
    const seqs = lines.map(({ id }) => Number(id?.split('-')[1]))
    expect(seqs).toEqual(count(3_000).map((i) => (seqs[0] ?? 0) + i))
    await expectStored('many', count(3_000))
  })

  test.each([
    ['CRLF', `${line('t', 1)}\r\n${line('t', 2)}\r\n`, [1, 2]],
    ['no end of the last line', `${line('t', 1)}\n${line('t', 2)}`, [1, 2]],
    ['empty lines, which are no events', `\n\n${line('t', 1)}\n \t\r\n${line('t', 2)}\n\n`, [1, 2]],
    ['a byte order mark', `\ufeff${line('t', 1)}\n`, [1]],
    ['line ends inside of data', `${line('t', 'a\nb\r\u2028')}\n`, ['a\nb\r\u2028']],
    ['data that is a list', '{"topic":"t","data":[1.10]}\n', ['1.1']],
    ['nothing at all', '', []],
  ])('with %s', async (_name, body, data) => {
    const own = await start()
    onTestFinished(() => own.close({ drainMs: 0 }))
    const { status, lines } = await publish(body, own)
    expect(status).toBe(200)
    expect(lines).toEqual(data.map(() => ({ id: expect.any(String) })))
    await expectStored('t', data, own)
  })

  test('wherever the body is cut, also inside a character', async () => {
    const publisher = new SlowPublisher(server.url)
    for (const byte of Buffer.from(`${line('cut', 'grüße 日本 🙂')}\n${line('cut', 'b')}`)) {
      publisher.send(Uint8Array.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect((await publisher.end()).lines).toHaveLength(2)
    await expectStored('cut', ['grüße 日本 🙂', 'b'])
  })

  test('is answered while the rest is still to come', async () => {
    const publisher = new SlowPublisher(server.url)
    const second = line('live', 'second')
    publisher.send(`${line('live', 'first')}\n${second.slice(0, 5)}`)
    await publisher.untilAnswers(1)
    publisher.send(`${second.slice(5)}\n`)
    await publisher.untilAnswers(2)
    expect((await publisher.end()).lines).toHaveLength(2)
    await expectStored('live', ['first', 'second'])
  })

  test('an ephemeral event has no id', async () => {
    expect((await publish('{"topic":"now","data":1,"ephemeral":true}')).lines).toEqual([{ id: null }])
  })

  test('another request follows on the same connection', async () => {
    for (const i of count(20)) expect((await publish(line('again', i))).lines).toHaveLength(1)
    await expectStored('again', count(20))
  })
})

describe('the first failure ends it: what came before is stored, what comes after is not', () => {
  test.each([
    ['no JSON', '{"topic":"t","data":', 400, 'Line 3 is not JSON'],
    ['no object', '42', 400, 'Line 3 is a number'],
    ['a typo', '{"topic":"t","dta":1}', 400, 'Did you mean "data"?'],
    [
      'an unknown field',
      '{"topic":"t","data":1,"tpye":"x"}',
      400,
      'Line 3: An event has no field "tpye". Did you mean "type"?',
    ],
    ['a wrong topic', '{"topic":"a b","data":1}', 400, 'Line 3: "a b" is not a topic'],
    ['a wrong type', '{"topic":"t","type":"open","data":1}', 400, 'Line 3: type is "open"'],
    ['too large an event', line('t', 'x'.repeat(70_000)), 413, 'Line 3: The event has 700'],
    ['too long a line', `{"topic":"t","data":"${'x'.repeat(400_000)}"}`, 413, 'Line 3 is longer than'],
    ['too deep a line', `{"topic":"t","data":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 400, 'nested too deeply'],
  ])('%s', async (_name, bad, status, words) => {
    const own = await start()
    onTestFinished(() => own.close({ drainMs: 0 }))
    const { status: head, lines } = await publish(`${line('t', 1)}\n${line('t', 2)}\n${bad}\n${line('t', 4)}\n`, own)
    expect(head).toBe(200)
    expect(lines).toEqual([
      { id: expect.any(String) },
      { id: expect.any(String) },
      { error: expect.objectContaining({ status, line: 3, detail: expect.stringContaining(words) }) },
    ])
    await expectStored('t', [1, 2], own)
  })

  test('invalid UTF-8', async () => {
    const body = Buffer.concat([
      Buffer.from(`${line('utf', 1)}\n{"topic":"utf","data":"`),
      Buffer.from([0xff]),
      Buffer.from('"}\n'),
    ])
    const { lines } = await publish(body)
    expect(lines[1]).toEqual({
      error: expect.objectContaining({ status: 400, line: 2, detail: 'Line 2 is not valid UTF-8.' }),
    })
    await expectStored('utf', [1])
  })

  test('the 10,001st event', async () => {
    const { lines } = await publish(`${line('most', 1)}\n\n`.repeat(10_001))
    expect(lines).toHaveLength(10_001)
    expect(lines.at(-1)).toEqual({
      error: expect.objectContaining({ status: 413, line: 20_001, detail: expect.stringContaining('10000 events') }),
    })
  })

  test('more than 64 MiB', async () => {
    const { lines } = await publish(`${' '.repeat(100_000)}\n`.repeat(672))
    expect(lines).toEqual([
      { error: expect.objectContaining({ status: 413, detail: expect.stringContaining('64 MiB') }) },
    ])
  })

  test('a log that is away, and everything behind is left alone', async () => {
    const own = await start()
    const publisher = new SlowPublisher(own.url)
    publisher.send(`${line('t', 1)}\n`)
    await publisher.untilAnswers(1)
    await own.hub.close({ drainMs: 0 })
    publisher.send(`${line('t', 2)}\n${line('t', 3)}\n`)
    await publisher.untilAnswers(2)
    const { lines } = await publisher.end()
    expect(lines[1]).toEqual({ error: expect.objectContaining({ status: 503, line: 2 }) })
    await own.close({ drainMs: 0 })
  })

  test('the answer is read although the publisher goes on sending', async () => {
    const publisher = new SlowPublisher(server.url)
    publisher.send('{}\n')
    await publisher.untilAnswers(1)
    for (const i of count(50)) publisher.send(`${line('after', i)}\n`)
    const { lines } = await publisher.end()
    expect(lines).toEqual([{ error: expect.objectContaining({ status: 400, line: 1 }) }])
    await expectStored('after', [])
  })
})

describe('a publisher', () => {
  test('that leaves midway has stored what was answered, and nothing of half a line', async () => {
    const publisher = new SlowPublisher(server.url)
    publisher.request.on('error', () => undefined)
    publisher.send(`${line('left', 1)}\n${line('left', 2)}`)
    await publisher.untilAnswers(1)
    publisher.request.destroy()
    await server.hub.publish({ topic: 'left.end', data: '' })
    expect(await stored('left')).toEqual(['1'])
  })

  test('that sends nothing for too long is told so', async () => {
    const own = await start({ lineTimeoutMs: 100 })
    onTestFinished(() => own.close({ drainMs: 0 }))
    const publisher = new SlowPublisher(own.url)
    publisher.send(`${line('late', 1)}\n`)
    await publisher.untilAnswers(2)
    const { lines } = await publisher.end()
    expect(lines[1]).toEqual({ error: expect.objectContaining({ status: 408 }) })
    await expectStored('late', [1], own)
  })

  test('that sends a line now and then has longer than a request may take', async () => {
    const own = await start({ requestTimeoutMs: 300 })
    onTestFinished(() => own.close({ drainMs: 0 }))
    const publisher = new SlowPublisher(own.url)
    const endMs = performance.now() + 2_500
    let sent = 0
    for (; performance.now() < endMs; sent++) {
      publisher.send(`${line('now', sent)}\n`)
      await publisher.untilAnswers(sent + 1)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect((await publisher.end()).lines).toHaveLength(sent)
  })

  test('that reads no answer before it has sent everything gets through', async () => {
    const publisher = new SlowPublisher(server.url)
    const response = new Promise<IncomingMessage>((resolve) => publisher.request.once('response', resolve))
    void response.then((it) => it.pause())
    for (const i of count(10_000)) publisher.send(`${line('unread', i)}\n`)
    publisher.request.end()
    const it = await response
    it.pause()
    await new Promise((resolve) => setTimeout(resolve, 200))
    it.resume()
    expect((await publisher.end()).lines).toHaveLength(10_000)
  })
})
