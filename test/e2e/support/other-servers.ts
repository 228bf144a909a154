import { serve } from '@hono/node-server'
import { createSession } from 'better-sse'
import fastify from 'fastify'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server that tells three events after the id that it is asked from, each with its number as id, and ends. */
export interface OtherServer {
  readonly name: string
  isAvailable(): boolean
  start(): Promise<{ readonly url: string; stop(): void }>
}

const always = (): boolean => true

/** The numbers to tell a client that has this id. */
function numbersAfter(id: string | undefined): number[] {
  const last = Number(id ?? 0)
  return [last + 1, last + 2, last + 3]
}

async function listening(server: Server): Promise<{ url: string; stop(): void }> {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
  const stop = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`, stop }
}

const PYTHON = `
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Type', 'text/event-stream; charset=utf-8')
        self.end_headers()
        last = int(self.headers.get('Last-Event-ID') or 0)
        self.wfile.write(b'retry: 100\\n\\n')
        for n in range(last + 1, last + 4):
            self.wfile.write(f'id: {n}\\nevent: tick\\ndata: n {n}\\n\\n'.encode())
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
`

export const otherServers: readonly OtherServer[] = [
  {
    name: 'node:http',
    isAvailable: always,
    start: () =>
      listening(
        createServer((request, response) => {
          response.writeHead(200, { 'Content-Type': 'text/event-stream' })
          response.write('retry: 100\n\n')
          for (const n of numbersAfter(request.headers['last-event-id']?.toString())) {
            response.write(`event: tick\nid: ${n}\ndata: n ${n}\n\n`)
          }
          response.end()
        }),
      ),
  },
  {
    name: 'better-sse',
    isAvailable: always,
    start: () =>
      listening(
        createServer((request, response) => {
          void createSession(request, response, { serializer: String, retry: 100 }).then((session) => {
            for (const n of numbersAfter(session.lastId || undefined)) session.push(`n ${n}`, 'tick', String(n))
            response.end()
          })
        }),
      ),
  },
  {
    name: 'Hono',
    isAvailable: always,
    async start() {
      const app = new Hono()
      app.get('/events', (context) =>
        streamSSE(context, async (stream) => {
          for (const n of numbersAfter(context.req.header('last-event-id'))) {
            await stream.writeSSE({ id: String(n), event: 'tick', data: `n ${n}`, retry: 100 })
          }
        }),
      )
      const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
      if (!server.listening) await once(server, 'listening')
      return listening(server)
    },
  },
  {
    name: 'Fastify',
    isAvailable: always,
    async start() {
      const app = fastify()
      app.get('/events', (request, reply) => {
        reply.hijack()
        reply.raw.writeHead(200, { 'Content-Type': 'text/event-stream' })
        for (const n of numbersAfter(request.headers['last-event-id']?.toString())) {
          reply.raw.write(`retry: 100\nid: ${n}\nevent: tick\ndata: n ${n}\n\n`)
        }
        reply.raw.end()
      })
      await app.listen({ port: 0, host: '127.0.0.1' })
      return listening(app.server)
    },
  },
  {
    name: "Python's standard library",
    isAvailable: () => spawnSync('python3', ['--version']).status === 0,
    async start() {
      const child = spawn('python3', ['-c', PYTHON], { stdio: ['ignore', 'pipe', 'inherit'] })
      const [port] = (await once(child.stdout, 'data')) as [Buffer]
      return { url: `http://127.0.0.1:${Number(port.toString())}/events`, stop: () => void child.kill() }
    },
  },
]
