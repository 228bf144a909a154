import { textPayload } from '@millrace/server'
import { createServer, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Writable } from 'node:stream'
import { describe, expect, test, vi } from 'vitest'
import { openTransport, type NodeTransport, type OpenTransportOptions } from '../src/index.ts'
import { connect, exchange, listen, RecordingOwner, until, type Exchange } from './support/serve.ts'

const hello = textPayload('data: hello\n\n')

type Route = 'chunks to the socket' | 'bytes to the socket' | 'through the response'

/** Opens a transport, writes one payload, and tells by which way it went. */
function open(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  options?: OpenTransportOptions,
): { transport: NodeTransport; route: Route } {
  const transport = openTransport(request, response, options)
  transport.attach(new RecordingOwner())
  const socketWrite = vi.spyOn(request.socket, 'write')
  transport.write(hello)
  // `response.write` passes an encoding and a callback along.
  const direct = socketWrite.mock.calls.flatMap((parameters) =>
    parameters.length === 1 ? [parameters[0] as unknown] : [],
  )
  socketWrite.mockRestore()
  if (direct.includes(hello.chunk)) return { transport, route: 'chunks to the socket' }
  return { transport, route: direct.includes(hello.bytes) ? 'bytes to the socket' : 'through the response' }
}

async function expectReceived({ client }: Exchange, body = 'data: hello\n\n'): Promise<void> {
  await until(() => {
    client.check()
    expect(client.body).toBe(body)
  })
}

describe('the way of the bytes', () => {
  test('is straight to the socket, framed beforehand, over HTTP/1.1', async () => {
    const each = await exchange()
    expect(open(each).route).toBe('chunks to the socket')
    await expectReceived(each)
    expect(each.client.head?.framing).toBe('chunked')
  })

  test('is straight to the socket, without framing, over HTTP/1.0', async () => {
    const each = await exchange({ path: '/', version: '1.0' })
    expect(open(each).route).toBe('bytes to the socket')
    await expectReceived(each)
    expect(each.client.head?.framing).toBe('close')
  })

  test('is straight to the socket although Express gave the response a prototype of its own', async () => {
    const each = await exchange()
    Object.setPrototypeOf(each.response, Object.create(ServerResponse.prototype))
    expect(open(each).route).toBe('chunks to the socket')
    await expectReceived(each)
  })

  test.each(['write', 'end', 'writeHead'] as const)(
    'is through the response when somebody replaced %s',
    async (name) => {
      const each = await exchange()
      const replaced = vi.spyOn(each.response, name)
      const { transport, route } = open(each)
      expect(route).toBe('through the response')
      await expectReceived(each)
      transport.end()
      await until(() => expect(each.client.end).toBe('whole'))
      expect(replaced).toHaveBeenCalled()
    },
  )

  test.each(['write', 'end', 'writeHead'] as const)(
    'is through the response when its class has its own %s',
    async (name) => {
      const each = await exchange()
      const own = Object.create(ServerResponse.prototype, {
        [name]: {
          value(this: ServerResponse, ...parameters: unknown[]): unknown {
            return Reflect.apply(ServerResponse.prototype[name], this, parameters)
          },
        },
      })
      Object.setPrototypeOf(each.response, own)
      expect(open(each).route).toBe('through the response')
      await expectReceived(each)
    },
  )

  test.each(['Content-Encoding', 'Transfer-Encoding'])('is through the response when somebody set %s', async (name) => {
    const each = await exchange()
    each.response.setHeader(name, name === 'Content-Encoding' ? 'identity' : 'chunked')
    expect(open(each).route).toBe('through the response')
    await expectReceived(each)
  })

  test.each(['Content-Encoding', 'transfer-encoding'])(
    'is through the response when the caller sets %s',
    async (name) => {
      const each = await exchange()
      const headers = { [name]: name === 'Content-Encoding' ? 'identity' : 'chunked' }
      expect(open(each, { headers }).route).toBe('through the response')
      await expectReceived(each)
    },
  )

  test('is through the response when the head was sent before', async () => {
    const each = await exchange()
    each.response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Mine': '1' })
    each.response.write(': mine\n\n')
    expect(open(each, { headers: { 'X-Late': '1' } }).route).toBe('through the response')
    await expectReceived(each, ': mine\n\ndata: hello\n\n')
    expect(each.client.head?.headers).toContainEqual(['x-mine', '1'])
    expect(each.client.head?.headers).not.toContainEqual(['x-late', '1'])
  })

  test('is through the response when another one owns the socket still', async () => {
    const exchanges: Exchange[] = []
    const port = await listen(createServer((request, response) => exchanges.push({ request, response, client })))
    const client = connect(port)
    client.request({ path: '/first' }, { path: '/second' })
    await until(() => expect(exchanges).toHaveLength(2))
    const [first, second] = exchanges
    if (!first || !second) throw new Error('two requests were made')
    expect(second.response.socket).toBeNull()
    expect(open(second).route).toBe('through the response')
    first.response.end('first')
    await until(() => expect(Buffer.concat(client.responses[1]?.body ?? []).toString()).toBe('data: hello\n\n'))
    client.check()
    expect(client.responses[0]?.isComplete).toBe(true)
  })

  test('is through the response when that writes elsewhere than to the socket of the request', async () => {
    const each = await exchange()
    let elsewhere = ''
    const target = new Writable({
      write(chunk: Buffer, _encoding, done) {
        elsewhere += chunk.toString('latin1')
        done()
      },
    })
    const response = new ServerResponse(each.request)
    response.assignSocket(target as unknown as Socket)
    expect(open({ request: each.request, response }).route).toBe('through the response')
    await until(() => expect(elsewhere).toContain('data: hello'))
    expect(each.client.head).toBeUndefined()
  })

  test('puts nothing into the answer to HEAD', async () => {
    const each = await exchange({ method: 'HEAD', path: '/' })
    expect(open(each).route).toBe('through the response')
    await until(() => expect(each.client.end).toBe('whole'))
    each.client.check()
    expect(each.client.body).toBe('')
  })
})

describe('the head', () => {
  test('is on its way before anything is written', async () => {
    const each = await exchange()
    openTransport(each.request, each.response)
    await until(() => expect(each.client.head?.status).toBe(200))
    expect(each.client.body).toBe('')
  })

  test('has the headers of the caller, which win over those of a stream', async () => {
    const each = await exchange()
    openTransport(each.request, each.response, {
      headers: { 'Millrace-Connection': 'abc', 'cache-control': 'no-cache', Vary: 'Cookie' },
    })
    await until(() => expect(each.client.head).toBeDefined())
    const headers = each.client.head?.headers ?? []
    expect(headers).toContainEqual(['millrace-connection', 'abc'])
    expect(headers.filter(([name]) => name === 'cache-control')).toEqual([['cache-control', 'no-cache']])
    expect(headers.filter(([name]) => name === 'vary')).toEqual([['vary', 'Cookie']])
  })

  test.each([
    ['Origin', 'Origin, Accept'],
    ['accept-encoding', 'accept-encoding, Accept, Origin'],
    ['ACCEPT,  origin', 'ACCEPT, origin'],
    ['*', '*'],
    ['', 'Accept, Origin'],
  ])('adds to a Vary that is there: %j becomes %j', async (present, expected) => {
    const each = await exchange()
    each.response.setHeader('Vary', present)
    openTransport(each.request, each.response)
    await until(() => expect(each.client.head).toBeDefined())
    expect(each.client.head?.headers.filter(([name]) => name === 'vary')).toEqual([['vary', expected]])
  })

  test('keeps other headers that are there, except for the length of a body that is not sent', async () => {
    const each = await exchange()
    each.response.setHeader('Access-Control-Allow-Origin', 'https://example.test')
    each.response.setHeader('Content-Length', 5)
    each.response.setHeader('Content-Type', 'text/html')
    open(each)
    await expectReceived(each)
    const headers = new Map(each.client.head?.headers)
    expect(headers.get('access-control-allow-origin')).toBe('https://example.test')
    expect(headers.has('content-length')).toBe(false)
    expect(headers.get('content-type')).toBe('text/event-stream')
  })

  test('announces the framing that follows, even if somebody had taken it away', async () => {
    const each = await exchange()
    each.response.removeHeader('Transfer-Encoding')
    expect(open(each).route).toBe('chunks to the socket')
    await expectReceived(each)
    expect(each.client.head?.framing).toBe('chunked')
  })

  test('leaves it to a server that shuts down to close the connection', async () => {
    const each = await exchange()
    each.response.setHeader('Connection', 'close')
    open(each)
    await expectReceived(each)
    expect(each.client.head?.headers.filter(([name]) => name === 'connection')).toEqual([['connection', 'close']])
  })

  test.each(['close', 'Close', 'TE, close'])(
    'closes the connection of a client that asks for it: %s',
    async (value) => {
      const each = await exchange({ path: '/', headers: [`Connection: ${value}`] })
      open(each)
      await expectReceived(each)
      expect(each.client.head?.headers.filter(([name]) => name === 'connection')).toEqual([['connection', 'close']])
    },
  )

  test('does not take every word with close in it for that', async () => {
    const each = await exchange({ path: '/', headers: ['Connection: keep-alive, disclosed'] })
    open(each)
    await expectReceived(each)
    expect(each.client.head?.headers).toContainEqual(['connection', 'keep-alive'])
  })
})

describe('the body of the request', () => {
  const body = 'x'.repeat(300_000)
  const post = { method: 'POST', path: '/', headers: [`Content-Length: ${body.length}`] }

  test('is drained when nobody reads it: Node would cut the connection', async () => {
    const each = await exchange(post, body)
    open(each)
    await until(() => expect(each.request.readableEnded).toBe(true))
    await expectReceived(each)
    expect(each.response.closed).toBe(false)
  })

  test('is drained when it comes in chunks', async () => {
    const headers = ['Transfer-Encoding: chunked']
    const each = await exchange({ method: 'POST', path: '/', headers }, '5\r\nhello\r\n0\r\n\r\n')
    open(each)
    await until(() => expect(each.request.readableEnded).toBe(true))
    await expectReceived(each)
  })

  test('is left to somebody who reads it', async () => {
    const each = await exchange(post, body)
    each.request.pause()
    open(each)
    await expectReceived(each)
    let length = 0
    for await (const chunk of each.request) length += (chunk as Buffer).length
    expect(length).toBe(body.length)
  })
})
