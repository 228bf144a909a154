import { createHub } from '@millrace/node'
import { memory } from '@millrace/server'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'

test('an answer that is no stream adds to the Vary that others have set', async () => {
  const hub = createHub({ backend: memory() })
  const handle = hub.handler()
  const server = createServer((request, response) => {
    response.setHeader('Vary', 'Accept-Encoding')
    void handle(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    await hub.close({ drainMs: 0 })
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { accept: 'text/html' } })
  expect([answer.status, answer.headers.get('vary')]).toEqual([406, 'Accept-Encoding, Accept, Origin'])
})

test('a long answer that nobody reads is given up after a minute without a byte, a short one is not waited for', async () => {
  const hub = createHub({ backend: memory({ topics: [{ match: 's', kind: 'state' }] }) })
  const handle = hub.handler()
  const server = createServer((request, response) => void handle(request, response))
  const sockets: Socket[] = []
  server.on('connection', (socket) => sockets.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect(port, '127.0.0.1').pause()
  onTestFinished(async () => {
    client.destroy()
    await hub.close({ drainMs: 0 })
    server.close()
  })
  const ask = (topic: string): void =>
    void client.write(`GET /?topic=${topic} HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n`)
  for (let key = 0; key < 200; key++) {
    await hub.publish({ topic: 's', key: String(key), data: 'x'.repeat(60_000) })
  }
  ask('none')
  await expect.poll(() => sockets[0]?.bytesWritten).toBeGreaterThan(100)
  expect(sockets[0]?.timeout ?? 0).not.toBe(60_000)
  ask('s')
  await expect.poll(() => sockets[0]?.writableLength).toBeGreaterThan(1024 * 1024)
  expect(sockets[0]?.timeout).toBe(60_000)
  const closed = once(sockets[0] as Socket, 'close')
  sockets[0]?.emit('timeout')
  await closed
  // Who reads it may be quiet afterwards.
  const reader = connect(port, '127.0.0.1').resume()
  onTestFinished(() => void reader.destroy())
  reader.write('GET /?topic=s HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n')
  await expect.poll(() => (sockets[1]?.writableLength === 0 ? sockets[1].bytesWritten : 0)).toBeGreaterThan(12_000_000)
  await expect.poll(() => sockets[1]?.timeout).not.toBe(60_000)
})
