import { streamHandlerSuite, type StreamHandlerSetup, type Wire } from '@millrace/conformance'
import { describe, expect, test } from 'vitest'
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
    for (const wire of wires) runSuite(`${source} on ${server}`, wire, () => serveStreams(createSource(), create))
  }
}

function runSuite(name: string, wire: Wire, start: StreamHandlerSetup['start']): void {
  const suite = streamHandlerSuite({ name, wire, start, timeoutMs: 15_000, comingCount: 150 })
  describe(`${name}, ${wire}`, () => {
    test.for(suite.map((one) => [one.name, one] as const))('%s', async ([, { exception, run }]) => {
      expect(exception).toBeUndefined()
      await expect(run()).resolves.toBeUndefined()
    })
  })
}
