import type { Setup } from '../run/benchmark.ts'
import { runLoad, type LoadResult } from '../run/load.ts'
import type { Report } from '../run/report.ts'
import { runRounds, type Contender } from '../run/rounds.ts'
import { startScript } from '../run/server-process.ts'
import { spreadOf } from '../run/statistics.ts'
import type { PublishingHubSettings, PublishingResult } from '../servers/publishing-hub.ts'

const CLIENTS = 1_000
const RATES = [1_000, 1_500, 2_000]
const SECONDS = 5
const DATA_BYTES = 150

interface Run extends LoadResult {
  readonly deliveriesPerSecond: number
  readonly refused: number
}

/** How many deliveries a second one process makes, and how late they are, when events come fast. */
export async function throughput({ referee, rounds, checkouts }: Setup): Promise<Report> {
  const contenders = RATES.flatMap((eventsPerSecond) =>
    checkouts.map(({ label, folder }): Contender<Run> => ({
      name: `${label}, ${eventsPerSecond} events/s`,
      run: async () => {
        const settings: PublishingHubSettings = {
          clients: CLIENTS,
          publications: [{ topic: 'bench', topicCount: 1, eventsPerSecond }],
          seconds: SECONDS,
          dataBytes: DATA_BYTES,
        }
        const server = await startScript(folder, 'publishing-hub', settings)
        try {
          const load = { clients: CLIENTS, path: '/events', quietSeconds: 3, timeoutMs: 90_000 }
          const result = await runLoad(referee.sseload, server, load)
          const { published, refused, publishMs } = await server.ask<PublishingResult>('result')
          if (result.events !== published * CLIENTS)
            throw new Error(`${result.events} of ${published * CLIENTS} arrived`)
          const deliveriesPerSecond = result.events / ((publishMs + result.max_ms) / 1000)
          return { ...result, deliveriesPerSecond, refused }
        } finally {
          await server.stop()
        }
      },
    })),
  )
  const results = await runRounds(contenders, rounds)
  const first = results.get(contenders[0]?.name ?? '') ?? []
  return {
    benchmark: 'throughput',
    rows: [...results].map(([name, runs]) => ({
      name,
      figures: {
        'arrived/s': spreadOf(runs.map((run) => run.deliveriesPerSecond)),
        'p50 ms': spreadOf(runs.map((run) => run.p50_ms)),
        'p99 ms': spreadOf(runs.map((run) => run.p99_ms)),
        'CPU µs per delivery': spreadOf(runs.map((run) => run.cpu_us_per_delivery)),
        refused: spreadOf(runs.map((run) => run.refused)),
        'RSS MB': spreadOf(runs.map((run) => run.rss_mb)),
      },
    })),
    goals: [
      // The last delivery comes after the last publication: the rate of a few seconds is a little below the nominal.
      {
        what: 'arrived/s',
        value: spreadOf(first.map((run) => run.deliveriesPerSecond)).median,
        bound: 990_000,
        atLeast: true,
      },
      { what: 'p99 ms', value: spreadOf(first.map((run) => run.p99_ms)).median, bound: 25 },
      { what: 'refused', value: spreadOf(first.map((run) => run.refused)).max, bound: 0 },
    ],
    details: Object.fromEntries(results),
  }
}
