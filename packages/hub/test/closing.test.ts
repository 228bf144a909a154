import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { defaultHubSettings } from '../src/hub-settings.ts'
import { startHubServer } from '../src/http/hub-server.ts'
import { ask } from './support/hub-request.ts'

test('a hub that closes answers the polls that wait, and who publishes, before it lets go of them', async () => {
  const server = await startHubServer({ ...defaultHubSettings, log: 'memory:', port: 0 })
  const headers = { accept: 'application/json' }
  const { cursor } = JSON.parse((await ask(`${server.url}/events`, { headers })).body) as { cursor: string }
  const polls = Array.from({ length: 30 }, () =>
    ask(`${server.url}/events?wait=60`, { headers: { ...headers, 'last-event-id': cursor } }),
  )
  // Whoever asks after them is answered after they were taken up.
  for (let i = 0; i < 20; i++) await ask(`${server.url}/health/live`)
  await server.close({ drainMs: 0 })
  for (const { status, body } of await Promise.all(polls)) {
    expect([status, JSON.parse(body)]).toMatchObject([200, { events: [], cursor }])
  }
})

test('a hub that closes tells who publishes one event a line how far it has come', async () => {
  const server = await startHubServer({ ...defaultHubSettings, log: 'memory:', port: 0 })
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => (text += part))
  socket.on('error', () => undefined)
  const head =
    'POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked'
  const line = '{"topic":"a","data":1}\n'
  socket.write(`${head}\r\n\r\n${line.length.toString(16)}\r\n${line}\r\n4\r\n{"to\r\n`)
  await expect.poll(() => text).toContain('{"id":')
  await server.close({ drainMs: 0 })
  expect(text).toContain('"status":503,"detail":"The hub is closing. Go on behind the last line that was answered')
  expect(text).toMatch(/\r\n0\r\n\r\n$/)
})

test('a client that takes no answer does not keep a hub that closes', async () => {
  const server = await startHubServer({ ...defaultHubSettings, log: 'memory:', port: 0 })
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  socket.write(
    'POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
  )
  for (let i = 0; i < 3; i++) await ask(`${server.url}/health/live`)
  await server.close({ drainMs: 0 })
  expect(socket.destroyed || (await new Promise((resolve) => socket.once('close', () => resolve(true))))).toBe(true)
})
