import { createHub, type NodeHub, type StreamHandlerOptions } from '@millrace/node'
import { memory, type EventLog, type HubLimits, type MemoryOptions } from '@millrace/server'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { onTestFinished } from 'vitest'

export interface TestHubOptions extends Partial<HubLimits> {
  readonly memory?: MemoryOptions
  /** Stands before the log. */
  readonly wrapLog?: (log: EventLog) => EventLog
  readonly authorize?: StreamHandlerOptions['authorize']
  /** 0 takes a free port. @default 0 */
  readonly port?: number
}

/** A hub with limits of the test's choice on a plain `node:http` server: `/events` on a port of 127.0.0.1. */
export interface TestHub {
  readonly hub: NodeHub
  readonly server: Server
  readonly port: number
  /** `http://127.0.0.1:<port>/events` */
  readonly url: string
  /** Publishes `{"n":…}` for each number, one after the other, waits until they were flushed, and returns their ids. */
  publish(topic: string, counts: Iterable<number>, type?: string): Promise<string[]>
  /** As a crash does: connections are cut, and the log is gone. */
  crash(): Promise<void>
  /** As SIGTERM does: nobody new is accepted, and all streams are told. */
  close(drainMs?: number): Promise<void>
}

/** Starts a hub that is stopped when the test is over. */
export async function startTestHub(options: TestHubOptions = {}): Promise<TestHub> {
  const { memory: memoryOptions = {}, wrapLog = (log) => log, authorize, port: wantedPort = 0, ...limits } = options
  const backend = memory(memoryOptions)
  const hub = createHub({ backend: { ...backend, log: wrapLog(backend.log) }, ...limits })
  const handle = hub.handler(authorize ? { authorize } : {})
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/events')) void handle(request, response)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(wantedPort, '127.0.0.1', resolve)
  })
  await hub.ready().catch(() => undefined)
  const { port } = server.address() as AddressInfo

  const crash = async (): Promise<void> => {
    const closed = new Promise((resolve) => {
      server.close(resolve)
    })
    server.closeAllConnections()
    await closed
    await hub.close({ drainMs: 0 })
  }
  onTestFinished(crash)
  return {
    hub,
    server,
    port,
    url: `http://127.0.0.1:${port}/events`,
    async publish(topic, counts, type) {
      const ids: string[] = []
      for (const n of counts) {
        const event = { topic, data: { n }, ...(type === undefined ? {} : { type }) }
        ids.push(...(await hub.publish(event)).ids.map(String))
      }
      do await setImmediate()
      while (hub.stats().lagMs > 0)
      return ids
    },
    crash,
    async close(drainMs = 0) {
      const closed = new Promise((resolve) => {
        server.close(resolve)
      })
      await hub.close({ drainMs })
      server.closeAllConnections()
      await closed
    },
  }
}

/** The whole numbers from `first` to `last`. */
export function numbers(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i)
}
