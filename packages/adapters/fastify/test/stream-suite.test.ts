import { fastify } from 'fastify'
import { createHub, memory } from '@millrace/node'
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { runStreamSuite } from '../../../node/test/support/run-stream-suite.ts'
import { OTHER_BODY, OTHER_PATH, serveStreams, STREAM_PATH } from '../../../node/test/support/serve-streams.ts'
import { driveHub, driveSessions, patientLimits } from '../../../server/test/support/driven-streams.ts'
import { createSession, streams, type HijackableReply, type RawRequest } from '../src/index.ts'

/** What every version of Fastify's application takes as a route handler. */
type Route = (request: RawRequest, reply: HijackableReply) => Promise<void>

function hubSource() {
  const hub = createHub({ backend: memory() })
  return { ...driveHub(hub), route: streams<RawRequest>(hub) }
}

function sessionSource() {
  const driven = driveSessions()
  const route: Route = async (request, reply) => driven.add(await createSession(request, reply, patientLimits))
  return { ...driven, route }
}

async function http1Server({ route }: { route: Route }) {
  const app = fastify({ serverFactory: (handle) => createServer(handle) })
  app.get(STREAM_PATH, route)
  app.get(OTHER_PATH, async () => OTHER_BODY)
  await app.ready()
  return app.server
}

async function http2Server({ route }: { route: Route }) {
  const app = fastify({ http2: true, serverFactory: (handle) => createHttp2Server(handle) })
  app.get(STREAM_PATH, route)
  app.get(OTHER_PATH, async () => OTHER_BODY)
  await app.ready()
  return app.server
}

for (const [source, createSource] of Object.entries({ sessions: sessionSource, 'a hub': hubSource })) {
  const name = `${source} on Fastify`
  runStreamSuite({ name, wire: 'http/1.1', start: () => serveStreams(createSource(), http1Server) })
  runStreamSuite({ name, wire: 'http/1.0', start: () => serveStreams(createSource(), http1Server) })
  runStreamSuite({ name, wire: 'http/2', start: () => serveStreams(createSource(), http2Server) })
}
