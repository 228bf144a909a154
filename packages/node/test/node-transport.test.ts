import { once } from 'node:events'
import { createServer, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { openTransport, type NodeTransport } from '../src/index.ts'
import { open } from './support/open-transport.ts'
import { BACKLOG_BYTES, block, hello, late } from './support/payloads.ts'
import { connect, listen, nextTurn, RecordingOwner, until, type Exchange } from './support/serve.ts'

/** Takes the response off the fast path, as middleware does. */
function stepIn({ response }: Exchange): void {
  const { write } = response
  response.write = ((chunk: Uint8Array) => write.call(response, chunk, 'utf8')) as typeof write
}

/** The two ways over HTTP/1.1. */
const ways = [
  ['straight to the socket', () => {}],
  ['through the response', stepIn],
] as const

describe.each(ways)('a transport %s', (_way, prepare) => {
  test('says false when it is full, and onDrain exactly once when it has room again', async () => {
    const { client, transport, owner } = await open(undefined, prepare)
    client.pause()
    let acceptedBytes = 0
    const answers: boolean[] = []
    for (const payload = block(1_000_000); acceptedBytes < BACKLOG_BYTES; acceptedBytes += payload.bytes.byteLength) {
      answers.push(transport.write(payload))
    }
    expect(answers.at(-1)).toBe(false)
    expect(answers.lastIndexOf(true)).toBeLessThan(answers.indexOf(false))
    expect(transport.bufferedBytes).toBeGreaterThan(0)
    expect(owner.drainCount).toBe(0)
    client.resume()
    await until(() => expect(client.body.length).toBe(acceptedBytes))
    await until(() => expect(owner.drainCount).toBe(1))
    expect(transport.bufferedBytes).toBe(0)
    expect(transport.write(hello)).toBe(true)
    await until(() => expect(client.body.endsWith('data: hello\n\n')).toBe(true))
    expect(owner.drainCount).toBe(1)
  })

  test('ends after what it accepted, and the connection with it', async () => {
    const { client, transport, owner } = await open(undefined, prepare)
    transport.write(hello)
    owner.call(() => transport.end())
    expect(owner.closeCount).toBe(0)
    await until(() => expect([client.end, client.isDisconnected]).toEqual(['whole', true]))
    client.check()
    expect(client.body).toBe('data: hello\n\n')
    expect([owner.closeCount, owner.wasCalledFromWithin]).toEqual([1, false])
  })

  test('waits with the end until a slow client has taken everything', async () => {
    const { client, transport, owner } = await open(undefined, prepare)
    client.pause()
    const payload = block(BACKLOG_BYTES)
    transport.write(payload)
    transport.end()
    expect(transport.bufferedBytes).toBeGreaterThan(0)
    client.resume()
    await until(() => expect([client.end, client.isDisconnected]).toEqual(['whole', true]))
    expect(client.body.length).toBe(payload.bytes.byteLength)
    await until(() => expect([owner.closeCount, owner.drainCount]).toEqual([1, 0]))
  })

  test('writes nothing after its end', async () => {
    const { client, transport } = await open(undefined, prepare)
    transport.end()
    expect(transport.write(late)).toBe(false)
    await until(() => expect(client.isDisconnected).toBe(true))
    expect(transport.write(late)).toBe(false)
    client.check()
    expect([client.end, client.body, transport.bufferedBytes]).toEqual(['whole', '', 0])
  })

  test('cuts the connection when it is destroyed, and drops what was not sent', async () => {
    const { client, transport, owner } = await open(undefined, prepare)
    client.pause()
    transport.write(block(BACKLOG_BYTES))
    owner.call(() => transport.destroy())
    await until(() => expect(owner.closeCount).toBe(1))
    expect([owner.wasCalledFromWithin, transport.bufferedBytes, transport.write(late)]).toEqual([false, 0, false])
    client.resume()
    await until(() => expect([client.end, client.isDisconnected]).toEqual(['cut', true]))
    expect(client.body.length).toBeLessThan(BACKLOG_BYTES)
  })

  test('may be destroyed while it ends', async () => {
    const { client, transport, owner } = await open(undefined, prepare)
    client.pause()
    transport.write(block(BACKLOG_BYTES))
    transport.end()
    transport.destroy()
    client.resume()
    await until(() => expect([client.end, client.isDisconnected, owner.closeCount]).toEqual(['cut', true, 1]))
  })

  test('may be ended and destroyed again, and tells so once', async () => {
    const { client, transport, owner } = await open(undefined, prepare)
    transport.end()
    transport.end()
    await until(() => expect(client.isDisconnected).toBe(true))
    transport.end()
    transport.destroy()
    transport.destroy()
    await nextTurn()
    expect(owner.closeCount).toBe(1)
  })

  test.each(['close', 'reset', 'half-close'] as const)('tells once that its client has left: %s', async (how) => {
    const { client, transport, owner } = await open(undefined, prepare)
    client.leave(how)
    await until(() => expect(owner.closeCount).toBe(1))
    expect([transport.write(late), transport.bufferedBytes]).toEqual([false, 0])
    await until(() => expect(client.isDisconnected).toBe(true))
    expect(owner.closeCount).toBe(1)
  })

  test('tells that its client has left while it waits for room, and never that there is some', async () => {
    const { client, transport, owner } = await open(undefined, prepare)
    client.pause()
    expect(transport.write(block(BACKLOG_BYTES))).toBe(false)
    client.leave('reset')
    await until(() => expect(owner.closeCount).toBe(1))
    await nextTurn()
    expect([owner.closeCount, owner.drainCount]).toEqual([1, 0])
  })

  test('does not write to a socket that the server ended because the client half-closed', async () => {
    const { client, request, transport, owner } = await open(undefined, prepare)
    client.pause()
    transport.write(block(BACKLOG_BYTES))
    client.leave('half-close')
    await until(() => expect(request.socket.writableEnded).toBe(true))
    const errors: unknown[] = []
    request.socket.on('error', (error) => errors.push(error))
    transport.write(late)
    await nextTurn()
    expect([errors, owner.closeCount]).toEqual([[], 0])
    transport.destroy()
    await until(() => expect(owner.closeCount).toBe(1))
  })

  test('puts no byte into the next answer when somebody else has ended the response', async () => {
    const transports: NodeTransport[] = []
    const owner = new RecordingOwner()
    const port = await listen(
      createServer((request, response) => {
        if (request.url !== '/stream') return void response.end('other')
        prepare({ request, response, client })
        const transport = openTransport(request, response)
        transport.attach(owner)
        transports.push(transport)
        transport.write(hello)
        response.end()
        expect(transport.write(late)).toBe(false)
      }),
    )
    const client = connect(port)
    client.request({ path: '/stream' })
    await until(() => expect([client.end, owner.closeCount]).toEqual(['whole', 1]))
    expect(transports[0]?.write(late)).toBe(false)
    client.request({ path: '/other' })
    await until(() => expect(client.responses[1]?.isComplete).toBe(true))
    client.check()
    expect(client.responses.map((response) => Buffer.concat(response.body).toString())).toEqual([
      'data: hello\n\n',
      'other',
    ])
  })

  test('may be ended when somebody else has ended the response', async () => {
    const { client, response, transport, owner } = await open(undefined, prepare)
    transport.write(hello)
    response.end()
    owner.call(() => transport.end())
    await until(() => expect([client.end, client.isDisconnected, owner.closeCount]).toEqual(['whole', true, 1]))
  })

  test('leaves no listener on a connection that goes on', async () => {
    const { client, request, response, transport, owner } = await open(undefined, prepare)
    const { socket } = request
    const before = listenerCounts(socket)
    client.pause()
    transport.write(block(BACKLOG_BYTES))
    response.end()
    client.resume()
    await until(() => expect(owner.closeCount).toBe(1))
    const after = listenerCounts(socket)
    for (const [name, count] of Object.entries(after))
      expect([name, count <= (before[name] ?? 0)]).toEqual([name, true])
    expect(response.listenerCount('close')).toBe(0)
    // What waits on it now is another answer's.
    socket.cork()
    socket.write('HTTP/1.1 ')
    expect([socket.writableLength > 0, transport.bufferedBytes]).toEqual([true, 0])
  })
})

test('a transport that was full has no room until it has drained, although single writes fit again', async () => {
  const { promise: firstWritten, resolve: finishFirst } = Promise.withResolvers<void>()
  const finishes: (() => void)[] = []
  const socket = new Duplex({
    writableHighWaterMark: 1_000,
    read() {},
    write(_chunk, _encoding, done) {
      finishes.push(done)
      finishFirst()
    },
  }) as Socket
  const request = new IncomingMessage(socket)
  request.httpVersionMajor = 1
  request.httpVersionMinor = 1
  const response = new ServerResponse(request)
  response.assignSocket(socket)
  const owner = new RecordingOwner()
  const transport = openTransport(request, response)
  transport.attach(owner)
  await firstWritten
  expect([transport.write(block(400)), transport.write(block(400))]).toEqual([true, false])
  // The head and the first block have gone: there is room for a small one, and the second is on its way still.
  finishes.shift()?.()
  finishes.shift()?.()
  await nextTurn()
  expect(socket.writableLength).toBeLessThan(500)
  expect([transport.write(hello), owner.drainCount]).toEqual([false, 0])
  for (let next = finishes.shift(); next; next = finishes.shift()) next()
  await nextTurn()
  expect([transport.bufferedBytes, owner.drainCount, transport.write(hello)]).toEqual([0, 1, true])
})

test('a request that was read to its end is no client that left', async () => {
  const { request, client, transport, owner } = await open(
    { method: 'POST', path: '/', headers: ['Content-Length: 5'] },
    undefined,
    'hello',
  )
  await once(request, 'close')
  await nextTurn()
  expect([owner.closeCount, transport.write(hello)]).toEqual([0, true])
  await until(() => expect(client.body).toBe('data: hello\n\n'))
})

test('a server that is closed has closed as soon as its streams have ended', async () => {
  const { transport, server } = await open()
  const closed = once(server, 'close')
  server.close()
  transport.end()
  await expect(closed).resolves.toEqual([])
})

function listenerCounts(socket: Exchange['request']['socket']): Record<string, number> {
  return Object.fromEntries(socket.eventNames().map((name) => [String(name), socket.listenerCount(name)]))
}
