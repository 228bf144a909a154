import { getRequestListener } from '@hono/node-server'
import { createHub as createNodeHub } from '@millrace/node'
import { createHub, memory } from '@millrace/server'
import { Hono, type Context } from 'hono'
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { runStreamSuite } from '../../../node/test/support/run-stream-suite.ts'
import { OTHER_BODY, OTHER_PATH, serveStreams, STREAM_PATH } from '../../../node/test/support/serve-streams.ts'
import {
  driveHub,
  driveSessions,
  patientLimits,
  type DrivenStreams,
} from '../../../server/test/support/driven-streams.ts'
import { createSession, streams } from '../src/index.ts'

interface Source extends DrivenStreams {
  route(context: Context): Response | Promise<Response>
}

const exceptions = { ownConnection: 'a Response has no say in the connection' }

function sessionSource(): Source {
  const driven = driveSessions()
  return {
    ...driven,
    route(context) {
      const { session, response } = createSession(context, patientLimits)
      void driven.add(session)
      return response
    },
  }
}

function fetchSource(): Source {
  const hub = createHub({ backend: memory() })
  return { ...driveHub(hub), route: streams(hub) }
}

function nodeSource(): Source {
  const hub = createNodeHub({ backend: memory() })
  return { ...driveHub(hub), route: streams(hub) }
}

function listenerOf({ route }: Source): (...exchange: Parameters<ReturnType<typeof getRequestListener>>) => void {
  const app = new Hono()
  app.get(STREAM_PATH, route)
  app.get(OTHER_PATH, (context) => context.body(OTHER_BODY))
  const listener = getRequestListener(app.fetch)
  return (incoming, outgoing) => void listener(incoming, outgoing)
}

const http1Server = (source: Source) => createServer(listenerOf(source))
const http2Server = (source: Source) => createHttp2Server(listenerOf(source))

const sources = [
  { name: 'sessions on Hono, as responses', create: sessionSource, exceptions },
  { name: 'a hub on Hono, as responses', create: fetchSource, exceptions },
  { name: 'a hub on Hono, on the objects of Node', create: nodeSource, exceptions: {} },
]

for (const { create, ...setup } of sources) {
  runStreamSuite({ ...setup, wire: 'http/1.1', start: () => serveStreams(create(), http1Server) })
  runStreamSuite({ ...setup, wire: 'http/1.0', start: () => serveStreams(create(), http1Server) })
  runStreamSuite({ ...setup, wire: 'http/2', start: () => serveStreams(create(), http2Server) })
}
