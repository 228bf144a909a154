/** Real sockets under the stream, and a clock that the test moves. */
import { getEventListeners } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/stream/connect.ts'
import { TestClock } from './support/test-clock.ts'

/** Real I/O takes its time: looks again after each turn of the event loop, for so many turns. */
async function eventually(isTrue: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 200_000; turn++) {
    if (isTrue()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error(`it never came to this: ${what}`)
}

async function serve(handle: RequestListener): Promise<{ server: Server; url: string; sockets: Set<Socket> }> {
  const server = createServer(handle)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`, sockets }
}

test('a thousand forced disconnects lose nothing, and leave no timer, listener or socket', async () => {
  const attempts = { count: 0 }
  const { url, sockets } = await serve((request, response) => {
    const after = Number(request.headers['last-event-id'] ?? 0)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`id: ${after + 1}\ndata: ${after + 1}\n\nid: 0\ndata: half`)
    // A reset, an ordinary end of the socket in the middle of an event, or of the body: in turn.
    const how = attempts.count++ % 3
    setImmediate(() =>
      how === 0 ? request.socket.resetAndDestroy() : how === 1 ? request.socket.destroy() : response.end(),
    )
  })
  const clock = new TestClock()
  const controller = new AbortController()
  const seen: unknown[] = []
  const stream = connect(url, { clock, signal: controller.signal, transport: 'stream', onError: () => {} })
  stream.on('message', ({ data }) => void seen.push(data))
  // A reset can overtake the bytes before it: such an attempt brings nothing, and the next one brings it.
  while (attempts.count < 1_000) {
    const before = attempts.count
    await eventually(() => stream.status.name === 'waiting', 'waiting')
    await clock.advance(40_000)
    await eventually(() => attempts.count > before, 'another attempt')
  }
  await eventually(() => stream.status.name === 'waiting', 'waiting')
  expect(seen.length).toBeGreaterThan(300)
  expect(seen).toEqual(seen.map((_, i) => i + 1))
  expect(clock.timerCount).toBe(1)
  stream.close()
  expect(clock.timerCount).toBe(0)
  expect(getEventListeners(controller.signal, 'abort')).toEqual([])
  await eventually(() => sockets.size === 0, 'no socket')
}, 60_000)

test('closing lets go of the socket of an open stream, and of an answer that has not come', async () => {
  const { url, sockets } = await serve((request, response) => {
    if (request.url === '/events?topic=deaf') return
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
  })
  const open = connect(url)
  const deaf = connect(url, { topics: ['deaf'] })
  await eventually(() => open.status.name === 'open' && sockets.size === 2, 'two sockets')
  open.close()
  deaf.close()
  await eventually(() => sockets.size === 0, 'no socket')
  expect(sockets.size).toBe(0)
})

test('a server that is not there is told by the code of the system', async () => {
  const { server, url } = await serve(() => {})
  await new Promise((resolve) => server.close(resolve))
  const messages: string[] = []
  const stream = connect(url, { topics: ['a'], onError: ({ message }) => messages.push(message) })
  onTestFinished(() => stream.close())
  await eventually(() => messages.length > 0, 'an error')
  expect(messages[0]).toBe('The connection failed: ECONNREFUSED')
})
