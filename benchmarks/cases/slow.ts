import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Setup } from '../run/benchmark.ts'
import { runLoad } from '../run/load.ts'
import type { Report } from '../run/report.ts'
import { runRounds, type Contender } from '../run/rounds.ts'
import { startScript } from '../run/server-process.ts'
import { ratioOf, spreadOf } from '../run/statistics.ts'
import type { MemoryUse } from '../servers/answers.ts'
import type { PublishingHubSettings } from '../servers/publishing-hub.ts'

const CLIENTS = 1_000
/** So many that their memory stands out from what a process under load needs anyway. */
const SLOW_CLIENTS = 100
const EVENTS_PER_SECOND = 500
const SECONDS = 20
const DATA_BYTES = 150

interface Run {
  readonly p99Ms: number
  readonly memory: MemoryUse
}

/** What a client that never reads costs the server, and those who read, under load. */
export async function slow({ referee, rounds, checkouts }: Setup): Promise<Report> {
  const contenders = checkouts.flatMap(({ label, folder }) =>
    [0, SLOW_CLIENTS].map((slowClients): Contender<Run> => ({
      name: `${label}, ${slowClients} that never read`,
      run: () => measure(referee.sseload, folder, slowClients),
    })),
  )
  const results = await runRounds(contenders, rounds)
  const without = results.get(contenders[0]?.name ?? '') ?? []
  const withSlow = results.get(contenders[1]?.name ?? '') ?? []
  const megabytes = (pick: (use: MemoryUse) => number): number[] =>
    withSlow.map(
      (run, round) => (pick(run.memory) - pick(without[round]?.memory ?? run.memory)) / SLOW_CLIENTS / 2 ** 20,
    )
  const perClient = {
    'RSS MB': spreadOf(megabytes((use) => use.rssBytes)),
    'buffers MB': spreadOf(megabytes((use) => use.arrayBuffersBytes)),
    'p99 ms': ratioOf(
      withSlow.map((run) => run.p99Ms),
      without.map((run) => run.p99Ms),
    ),
  }
  return {
    benchmark: 'slow',
    rows: [
      ...[...results].map(([name, runs]) => ({
        name,
        figures: {
          'RSS MB': spreadOf(runs.map((run) => run.memory.rssBytes / 2 ** 20)),
          'buffers MB': spreadOf(runs.map((run) => run.memory.arrayBuffersBytes / 2 ** 20)),
          'p99 ms': spreadOf(runs.map((run) => run.p99Ms)),
        },
      })),
      { name: 'added by each (p99: ratio)', figures: perClient },
    ],
    goals: [{ what: 'RSS MB of a client that never reads', value: perClient['RSS MB'].median, bound: 1 }],
    details: Object.fromEntries(results),
  }
}

async function measure(program: string, folder: string, slowClients: number): Promise<Run> {
  const settings: PublishingHubSettings = {
    clients: CLIENTS + slowClients,
    publications: [{ topic: 'bench', topicCount: 1, eventsPerSecond: EVENTS_PER_SECOND }],
    seconds: SECONDS,
    dataBytes: DATA_BYTES,
  }
  const server = await startScript(folder, 'publishing-hub', settings, ['--expose-gc'])
  const sockets: Socket[] = []
  try {
    for (let i = 0; i < slowClients; i++) sockets.push(await neverRead(server.port))
    const load = { clients: CLIENTS, path: '/events', quietSeconds: 3, timeoutMs: 120_000 }
    const { p99_ms: p99Ms } = await runLoad(program, server, load)
    // The readers have left; those who never read are still here, with all that is kept for them.
    return { p99Ms, memory: await server.ask<MemoryUse>('memory') }
  } finally {
    for (const socket of sockets) socket.destroy()
    await server.stop()
  }
}

async function neverRead(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.pause()
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n')
  return socket
}
