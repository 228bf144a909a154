import { runStreamSuite } from './support/run-stream-suite.ts'
import { compressingServer, expressServer, http2Server, plainServer, serveStreams } from './support/serve-streams.ts'
import { hubSource, sessionSource } from './support/stream-source.ts'

const sources = { sessions: sessionSource, 'a hub': hubSource }

const servers = [
  { server: 'node:http', create: plainServer, wires: ['http/1.1', 'http/1.0'] },
  { server: 'Express', create: expressServer, wires: ['http/1.1'] },
  { server: 'Express with compression', create: compressingServer, wires: ['http/1.1', 'http/1.0'] },
  { server: 'node:http2', create: http2Server, wires: ['http/2'] },
] as const

for (const [source, createSource] of Object.entries(sources)) {
  for (const { server, create, wires } of servers) {
    for (const wire of wires) {
      runStreamSuite({ name: `${source} on ${server}`, wire, start: () => serveStreams(createSource(), create) })
    }
  }
}
