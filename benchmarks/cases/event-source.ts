import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ownCheckout, type Setup } from '../run/benchmark.ts'
import type { Report } from '../run/report.ts'
import { runRounds, type Contender } from '../run/rounds.ts'
import { startScript } from '../run/server-process.ts'
import { ratioOf, spreadOf } from '../run/statistics.ts'

const EVENTS = 420_000
const CLASSES = ['millrace', 'eventsource', 'undici'] as const

interface Run {
  readonly eventsPerSecond: number
  readonly cpuUsPerEvent: number
}

/** How many events a second come through an `EventSource` on Node, when each is a small chunk: ours, and those of others. */
export async function eventSource(setup: Setup): Promise<Report> {
  const { folder } = ownCheckout(setup)
  const contenders = CLASSES.map((name): Contender<Run> => ({
    name,
    run: async () => {
      const server = await startScript(folder, 'token-stream', { eventCount: EVENTS })
      try {
        return await readTokens(folder, name, `http://127.0.0.1:${server.port}/`)
      } finally {
        await server.stop()
      }
    },
  }))
  const results = await runRounds(contenders, setup.rounds)
  const speeds = (name: string): number[] => (results.get(name) ?? []).map(({ eventsPerSecond }) => eventsPerSecond)
  const costs = (name: string): number[] => (results.get(name) ?? []).map(({ cpuUsPerEvent }) => cpuUsPerEvent)
  return {
    benchmark: 'event-source',
    rows: CLASSES.map((name) => ({
      name,
      figures: {
        'events/s': spreadOf(speeds(name)),
        'CPU µs per event': spreadOf(costs(name)),
        'millrace is × as fast': ratioOf(speeds('millrace'), speeds(name)),
        'and takes × the CPU': ratioOf(costs('millrace'), costs(name)),
      },
    })),
    goals: CLASSES.slice(1).map((name) => ({
      what: `events/s beside ${name}`,
      value: ratioOf(speeds('millrace'), speeds(name)).median,
      bound: 1.3,
      atLeast: true,
    })),
    details: Object.fromEntries(results),
  }
}

async function readTokens(folder: string, name: string, url: string): Promise<Run> {
  const script = join(folder, 'benchmarks/servers/read-tokens.ts')
  const args = ['--conditions=@millrace/source', '--no-warnings', script, name, url, String(EVENTS)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  await once(child, 'close')
  return JSON.parse(output) as Run
}
