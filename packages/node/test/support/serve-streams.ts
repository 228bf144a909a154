import compression from 'compression'
import express from 'express'
import { createServer, type Server } from 'node:http'
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { ServedStreams } from '@millrace/conformance'
import type { NodeRequest, NodeResponse } from '../../src/index.ts'
import type { DrivenStreams } from '../../../server/test/support/driven-streams.ts'
import type { StreamSource } from './stream-source.ts'

export const STREAM_PATH = '/events'
export const OTHER_PATH = '/other'
export const OTHER_BODY = 'not a stream\n'

type Handler = (request: NodeRequest, response: NodeResponse) => void

/** `node:http` and nothing else. */
export function plainServer(source: StreamSource): Server {
  return createServer(route(source))
}

export function expressServer(source: StreamSource): Server {
  return createServer(expressApp(source, express()))
}

/** Express as many set it up: with the middleware that holds streams back when they let it. */
export function compressingServer(source: StreamSource): Server {
  return createServer(expressApp(source, express().use(compression({ threshold: 0 }))))
}

/** `node:http2` with its compatibility API, without TLS. */
export function http2Server(source: StreamSource): Http2Server {
  return createHttp2Server(route(source))
}

/** Makes a server listen, and presents it to the suite. */
export async function serveStreams<Source extends DrivenStreams>(
  source: Source,
  createServerFor: (source: Source) => Server | Http2Server | Promise<Server | Http2Server>,
): Promise<ServedStreams> {
  const server = await createServerFor(source)
  // Who waits for a connection to end must not be helped by a server that has seen no request for a while.
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = 600_000
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    path: STREAM_PATH,
    otherPath: OTHER_PATH,
    publish: (data) => source.publish(data),
    endStreams: () => source.endStreams(),
    openCount: () => source.openCount(),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      await source.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
      for (const session of sessions) session.destroy()
      await closed
    },
  }
}

function route(source: StreamSource): Handler {
  return (request, response) => {
    if (request.url === STREAM_PATH) void source.handle(request, response)
    else answer(request, response)
  }
}

function expressApp(source: StreamSource, app: ReturnType<typeof express>): ReturnType<typeof express> {
  app.get(STREAM_PATH, async (request, response) => source.handle(request, response))
  app.get(OTHER_PATH, answer)
  return app
}

function answer(_request: NodeRequest, response: NodeResponse): void {
  response.setHeader('Content-Length', OTHER_BODY.length)
  response.end(OTHER_BODY)
}
