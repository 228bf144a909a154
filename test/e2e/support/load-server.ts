// A hub with limits of the test's choice in a process of its own, driven by messages from the test.
import { createHub } from '@millrace/node'
import { memory, type HubStats } from '@millrace/server'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { LoadCommand, LoadReport, LoadSettings } from './load-process.ts'

/** How often events are handed over: many small turns, as publishers make them. */
const TURNS_PER_SECOND = 100

const { keepCount, ...limits } = JSON.parse(process.argv[2] ?? '{}') as LoadSettings
const hub = createHub({ backend: memory({ topics: [{ match: '>', retention: { maxCount: keepCount } }] }), ...limits })
const handle = hub.handler()
const server = createServer((request, response) => void handle(request, response))
let published = 0

server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  process.send?.((server.address() as AddressInfo).port)
})
process.on('message', (command: LoadCommand) => void obey(command))
process.on('disconnect', () => process.exit(0))

async function obey(command: LoadCommand): Promise<void> {
  process.send?.(command.name === 'publish' ? await publish(command) : await report())
}

/** Publishes `{"n":…}`, each number one more than the last. */
async function publish({ count, perSecond, dataBytes }: LoadCommand & { name: 'publish' }): Promise<number> {
  const padding = 'x'.repeat(dataBytes)
  const startMs = performance.now()
  const perTurn = perSecond === false ? 1_000 : perSecond / TURNS_PER_SECOND
  for (let sent = 0, turn = 1; sent < count; turn++) {
    const until = Math.min(count, Math.round(turn * perTurn))
    for (; sent < until; sent++) await hub.publish({ topic: 'load', data: { n: ++published, padding } })
    const waitMs = perSecond === false ? 0 : startMs + (turn * 1_000) / TURNS_PER_SECOND - performance.now()
    await pause(Math.max(0, waitMs))
  }
  return published
}

async function report(): Promise<LoadReport> {
  globalThis.gc?.()
  await pause(50)
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const sockets = await new Promise<number>((resolve) => {
    server.getConnections((_error, count) => resolve(count))
  })
  return {
    liveBytes: heapUsed + external,
    rssBytes: rss,
    sockets,
    listeners: [server, process].map((emitter) =>
      emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)] as const),
    ),
    resources: process
      .getActiveResourcesInfo()
      .filter((name) => name !== 'Timeout')
      .toSorted(),
    stats: hub.stats() satisfies HubStats,
    subscribers: Array.from(hub.subscribers(), ({ state, events, bytes, bufferedBytes }) => ({
      state: state.name,
      events,
      bytes,
      bufferedBytes,
    })),
  }
}
