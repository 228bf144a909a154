import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Answer, SeenRequest } from './script.ts'

export interface ScriptServer {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string
  /** Sockets that are open now. */
  connectionCount(): number
  /** Files that it serves besides: by path, with their types. */
  readonly files: Map<string, { readonly type: string; readonly text: string }>
  close(): Promise<void>
}

/**
 * A server that does what the URL of a request tells it to, however wrong that is: `/s/<token>?<JSON of answers>` gives
 * the first answer to the first request with this token, and so on; the last one again and again.
 * `/seen/<token>` tells which requests came.
 */
export async function startScriptServer(): Promise<ScriptServer> {
  const seen = new Map<string, SeenRequest[]>()
  const files = new Map<string, { readonly type: string; readonly text: string }>()
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://localhost')
    const [, kind, token = ''] = pathname.split('/')
    const file = files.get(pathname)
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Access-Control-Allow-Headers', '*')
    if (request.method === 'OPTIONS') response.writeHead(204).end()
    else if (kind === 'seen') response.end(JSON.stringify(seen.get(token) ?? []))
    else if (kind === 's') void answer(request, response, token, search, seen)
    else if (file) response.writeHead(200, { 'Content-Type': file.type }).end(file.text)
    else response.writeHead(404).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  let connectionCount = 0
  server.on('connection', (socket) => {
    connectionCount++
    socket.once('close', () => connectionCount--)
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    connectionCount: () => connectionCount,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  search: string,
  seen: Map<string, SeenRequest[]>,
): Promise<void> {
  const requests = seen.get(token) ?? []
  seen.set(token, requests)
  const entry: SeenRequest = {
    method: request.method ?? '',
    url: request.url ?? '',
    rawHeaders: request.rawHeaders,
    headers: request.headers as Record<string, string>,
    body: '',
    atMs: performance.now(),
    closed: false,
  }
  requests.push(entry)
  response.once('close', () => (entry.closed = true))
  for await (const chunk of request) entry.body += String(chunk)
  const answers = JSON.parse(decodeURIComponent(search.slice(1))) as Answer[]
  const script = answers[Math.min(requests.length, answers.length) - 1]
  if (script) await play(script, response)
}

async function play(script: Answer, response: ServerResponse): Promise<void> {
  const { status = 200, type = 'text/event-stream', headers = {}, body = [], end = 'hold' } = script
  if (status === 0) return void response.destroy()
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (type !== null) response.setHeader('Content-Type', type)
  response.writeHead(status)
  response.flushHeaders()
  for (const part of typeof body === 'string' ? [body] : body) {
    if (typeof part === 'number') await new Promise((resolve) => setTimeout(resolve, part))
    else response.write(typeof part === 'string' ? part : Uint8Array.from(part))
  }
  if (end === 'end') response.end()
  // What was written goes out first: a cut is then seen as one, after the bytes.
  else if (end === 'cut') setTimeout(() => response.destroy(), 30)
}
