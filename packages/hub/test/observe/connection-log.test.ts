import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { defaultHubSettings } from '../../src/hub-settings.ts'
import { startHubServer, type HubServer } from '../../src/http/hub-server.ts'
import { logLines, type LogLevel } from '../../src/observe/log-lines.ts'

type Line = Readonly<Record<string, unknown>>

interface Logged {
  readonly server: HubServer
  readonly lines: readonly Line[]
  readonly text: () => string
}

async function start(level: LogLevel = 'info'): Promise<Logged> {
  const lines: Line[] = []
  let text = ''
  const log = logLines(level, {
    write(written: string) {
      text += written
      lines.push(JSON.parse(written) as Line)
    },
  })
  const server = await startHubServer({ ...defaultHubSettings, log: 'memory:', port: 0 }, { log })
  return { server, lines, text: () => text }
}

/** Opens a stream and resolves when its first event is here. */
function open(server: HubServer, path: string, headers = ''): Promise<{ socket: Socket; connection: string }> {
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`)
  return new Promise((resolve, reject) => {
    let text = ''
    socket.on('error', reject)
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part
      const connection = /"connection":"([^"]+)"/.exec(text)?.[1]
      if (connection) resolve({ socket, connection })
    })
  })
}

/** Waits until a line is there; the test's own time limit ends it. */
async function line(lines: readonly Line[], message: string): Promise<Line> {
  for (;;) {
    const found = lines.find(({ msg }) => msg === message)
    if (found) return found
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
}

test('the life of a stream can be read by the id that its client has', async () => {
  const { server, lines } = await start()
  const { ids } = await server.hub.publish([1, 2, 3].map((data) => ({ topic: 'a', data })))
  const { socket, connection } = await open(server, '/events?topic=a', `Last-Event-ID: ${ids[0]}\r\n`)
  await line(lines, 'caught up')
  socket.destroy()
  await line(lines, 'left')
  const life = lines.filter((each) => each['connection'] === connection)
  expect(life).toMatchObject([
    { level: 'info', msg: 'opened', protocol: 'http/1.1', peer: '127.0.0.1', topics: ['a'], resumedFrom: ids[0] },
    { level: 'info', msg: 'caught up', why: 'start', replayed: 2, source: 'window', tookMs: expect.any(Number) },
    { level: 'info', msg: 'left', reason: 'client', events: 2, bytes: expect.any(Number), position: ids[2] },
  ])
  for (const { time } of life) expect(time).toMatch(/^\d{4}-\d\d-\d\dT/)
  await server.close({ drainMs: 0 })
})

test('a gap, and a stream that is ended by hand, are written down', async () => {
  const { server, lines } = await start()
  const { connection } = await open(server, '/events', 'Last-Event-ID: nonsense\r\n')
  expect(await line(lines, 'gap')).toMatchObject({ level: 'warn', connection, reason: 'unknown_id' })
  server.hub.endConnection(connection)
  expect(await line(lines, 'left')).toMatchObject({ connection, reason: 'kicked' })
  await server.close({ drainMs: 0 })
})

test('what a hub warns of is all that is written at level warn', async () => {
  const { server, lines } = await start('warn')
  const { socket } = await open(server, '/events', 'Last-Event-ID: nonsense\r\n')
  await line(lines, 'gap')
  socket.destroy()
  await server.close({ drainMs: 0 })
  expect(lines.map(({ msg }) => msg)).toEqual(['gap'])
})

test('no secret, no data and no line of a client gets into the log', async () => {
  const { server, lines, text } = await start()
  const headers = 'Authorization: Bearer s3cr3t-token\r\nCookie: session=s3cr3t-cookie\r\n'
  const { socket } = await open(server, '/events?topic=a&unknown=s3cr3t-query', headers)
  await server.hub.publish({ topic: 'a', data: 's3cr3t-data' })
  const hostile = await open(server, '/events?topic=b', `Last-Event-ID: ${'x'.repeat(300)}","msg":"forged\r\n`)
  for (const each of [socket, hostile.socket]) each.destroy()
  await line(lines, 'left')
  await server.close({ drainMs: 0 })
  expect(text()).not.toContain('s3cr3t')
  expect(lines.filter(({ msg }) => msg === 'forged')).toEqual([])
  const { resumedFrom } = lines.find((each) => each['connection'] === hostile.connection) ?? {}
  expect(resumedFrom).toBe('x'.repeat(128))
})

test('secrets that come along with an error are not written', () => {
  const lines: string[] = []
  const log = logLines('info', { write: (text: string) => void lines.push(text) })
  log.error(
    {
      ticket: 's3cr3t',
      headers: { authorization: 's3cr3t', cookie: 's3cr3t' },
      request: { headers: { cookie: 's3cr3t' } },
    },
    'x',
  )
  expect(lines.join('')).toContain('[Redacted]')
  expect(lines.join('')).not.toContain('s3cr3t')
})

test('a line stays short, whatever a client asks for', async () => {
  const { server, lines, text } = await start()
  const types = Array.from({ length: 25 }, (_, i) => `${i}-${'x'.repeat(8_000)}`)
  const stream = await fetch(`${server.url}/events/stream`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
    body: JSON.stringify({ topic: ['a'], type: types }),
  })
  expect(stream.status).toBe(200)
  const opened = await line(lines, 'opened')
  expect(opened).toMatchObject({ moreTypes: 5 })
  expect(opened['types']).toHaveLength(20)
  expect(text().length).toBeLessThan(5_000)
  await stream.body?.cancel()
  await server.close({ drainMs: 0 })
})
