import { createHub, type NodeHub } from '@millrace/node'
import type { Backend, HubLimits } from '@millrace/server'
import { createAdaptorServer } from '@hono/node-server'
import { Agent, createServer, request, type IncomingMessage, type Server as HttpServer } from 'node:http'
import * as http2 from 'node:http2'
import { connect, type AddressInfo, type Server } from 'node:net'
import { onTestFinished } from 'vitest'

/** How a client asks: over which protocol, of which handler. */
export const STREAMS = ['h1', 'h10', 'h2', 'fetch', 'h1-post', 'h2-post', 'fetch-post'] as const
export const POLLS = ['h1-poll', 'h2-poll', 'fetch-poll'] as const
export type TransportName = (typeof STREAMS)[number] | (typeof POLLS)[number]

/** An answer whose body comes bit by bit. */
export interface Answer {
  readonly status: number
  header(name: string): string | undefined
  readonly chunks: AsyncIterable<Buffer>
  /** Cuts it off. */
  destroy(): void
}

/** A hub behind the Node handler over HTTP/1 and HTTP/2, and behind the fetch handler. */
export interface ManyDoors {
  readonly hub: NodeHub
  /** Where topics are changed. */
  readonly url: string
  ask(transport: TransportName, query: URLSearchParams, headers: Record<string, string>): Promise<Answer>
}

/** Starts a hub that is stopped when the test is over. */
export async function openDoors(backend: Backend, limits: Partial<HubLimits>): Promise<ManyDoors> {
  const hub = createHub({ backend, ...limits })
  const handle = hub.handler()
  const answerFetch = hub.fetchHandler()
  const http1 = createServer((asked, response) => void handle(asked, response))
  const http2Server = http2.createServer((asked, response) => void handle(asked, response))
  const fetchServer = createAdaptorServer({ fetch: (asked: Request) => answerFetch(asked) }) as HttpServer
  // On a slow machine a connection rests for long between two polls, and would be closed just when it is used again.
  for (const server of [http1, fetchServer]) server.keepAliveTimeout = 0
  const ports = await Promise.all([http1, http2Server, fetchServer].map((server) => listen(server)))
  const [http1Port = 0, http2Port = 0, fetchPort = 0] = ports
  await hub.ready()
  // Polls of all clients share these connections, and over HTTP/2 streams do, too.
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const session = http2.connect(`http://127.0.0.1:${http2Port}`)
  session.setMaxListeners(0)
  session.on('error', () => undefined)
  onTestFinished(async () => {
    session.destroy()
    agent.destroy()
    for (const server of [http1, http2Server, fetchServer]) server.close()
    http1.closeAllConnections()
    await hub.close({ drainMs: 0 })
  })
  return {
    hub,
    url: `http://127.0.0.1:${http1Port}`,
    ask(transport, query, headers) {
      const isPost = transport.endsWith('-post')
      const isPoll = transport.endsWith('-poll')
      const asked: Asked = {
        method: isPost ? 'POST' : 'GET',
        path: isPost ? '/events/stream' : `/events?${query.toString()}`,
        headers: {
          Accept: isPoll ? 'application/json' : 'text/event-stream',
          ...(isPost ? { 'Content-Type': 'application/json' } : {}),
          ...headers,
        },
        body: isPost ? bodyOf(query) : undefined,
      }
      if (transport === 'h10') return askHttp10(http1Port, asked)
      if (transport.startsWith('h2')) return askHttp2(session, asked)
      return askHttp1(transport.startsWith('fetch') ? fetchPort : http1Port, asked, isPoll ? agent : false)
    },
  }
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: string | undefined
}

async function listen(server: Server | http2.Http2Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  return (server.address() as AddressInfo).port
}

/** The same names in a body: those that may be several are lists. */
function bodyOf(query: URLSearchParams): string {
  const body: Record<string, unknown> = Object.fromEntries(query)
  for (const name of ['topic', 'type']) if (query.has(name)) body[name] = query.getAll(name)
  return JSON.stringify(body)
}

function askHttp1(port: number, { method, path, headers, body }: Asked, agent: Agent | false): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', method, path, headers, agent }
    const outgoing = request(options, (response: IncomingMessage) => {
      response.on('error', () => undefined)
      resolve({
        status: response.statusCode ?? 0,
        header: (name) => response.headers[name]?.toString(),
        chunks: response,
        destroy: () => response.destroy(),
      })
    })
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

/** By hand: `node:http` asks over HTTP/1.1 only. */
async function askHttp10(port: number, { path, headers }: Asked): Promise<Answer> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET ${path} HTTP/1.0\r\nHost: 127.0.0.1\r\n${lines.join('')}\r\n`)
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let head = Buffer.alloc(0)
  while (!head.includes('\r\n\r\n')) {
    const chunk = await chunks.next()
    if (chunk.done) throw new Error('The connection ended before the head did.')
    head = Buffer.concat([head, chunk.value])
  }
  const headEnd = head.indexOf('\r\n\r\n')
  const text = head.subarray(0, headEnd).toString('latin1')
  if (/^transfer-encoding/im.test(text)) throw new Error(`HTTP/1.0 knows no transfer coding: ${text}`)
  const rest = head.subarray(headEnd + 4)
  return {
    status: Number(text.split(' ')[1]),
    header: (name) => new RegExp(`^${name}: (.*)$`, 'im').exec(text)?.[1],
    chunks: (async function* read(): AsyncGenerator<Buffer> {
      if (rest.length > 0) yield rest
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
    })(),
    destroy: () => socket.destroy(),
  }
}

function askHttp2(session: http2.ClientHttp2Session, { method, path, headers, body }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const lowered = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
    const stream = session.request({ ':method': method, ':path': path, ...lowered }, { endStream: body === undefined })
    if (body !== undefined) stream.end(body)
    stream.once('error', reject)
    stream.on('error', () => undefined)
    stream.once('response', (response) => {
      resolve({
        status: Number(response[':status']),
        header: (name) => response[name]?.toString(),
        chunks: stream as AsyncIterable<Buffer>,
        destroy: () => stream.destroy(),
      })
    })
  })
}
