import { ownCheckout, type Setup } from '../run/benchmark.ts'
import { paddingFor, runLoad, type LoadResult } from '../run/load.ts'
import type { Report } from '../run/report.ts'
import { runRounds, type Contender } from '../run/rounds.ts'
import { startHub, startLimit, startScript, type ServerProcess } from '../run/server-process.ts'
import { ratioOf, spreadOf } from '../run/statistics.ts'

const CLIENTS = 1_000
const EVENTS_PER_SECOND = 50
const SECONDS = 6
const DATA_BYTES = 150
const FLOOR = 'the floor: one send() each, in C'

/** What one delivery costs when events come one by one, beside the least that it can cost and beside others. */
export async function fanOut(setup: Setup): Promise<Report> {
  const { referee, rounds, checkouts } = setup
  const { folder } = ownCheckout(setup)
  const contender = (name: string, start: () => Promise<ServerProcess>, body = '%s'): Contender<LoadResult> => ({
    name,
    run: async () => {
      const server = await start()
      try {
        return await runLoad(referee.sseload, server, {
          clients: CLIENTS,
          path: '/events',
          publish: {
            path: '/events',
            body,
            eventsPerSecond: EVENTS_PER_SECOND,
            count: EVENTS_PER_SECOND * SECONDS,
            paddingBytes: paddingFor(DATA_BYTES),
          },
          quietSeconds: 3,
          timeoutMs: 60_000,
        })
      } finally {
        await server.stop()
      }
    },
  })
  const results = await runRounds(
    [
      ...checkouts.map(({ label, folder: each }) =>
        contender(label, () => startHub(each), '{"topic":"bench","data":%s}'),
      ),
      contender(FLOOR, () => startLimit(referee.limit)),
      contender('plain response.write', () => startScript(folder, 'plain')),
      contender('better-sse', () => startScript(folder, 'better-sse')),
    ],
    rounds,
  )
  const costs = (name: string): number[] => (results.get(name) ?? []).map((run) => run.cpu_us_per_delivery)
  const own = costs(checkouts[0]?.label ?? '')
  return {
    benchmark: 'fan-out',
    rows: [...results].map(([name, runs]) => ({
      name,
      figures: {
        'CPU µs per delivery': spreadOf(costs(name)),
        '× the floor': ratioOf(costs(name), costs(FLOOR)),
        'p99 ms': spreadOf(runs.map((run) => run.p99_ms)),
        'bytes per event': spreadOf(runs.map((run) => run.bytes_per_event)),
      },
    })),
    goals: [
      { what: 'CPU per delivery ÷ the floor', value: ratioOf(own, costs(FLOOR)).median, bound: 1.5 },
      {
        what: 'CPU per delivery ÷ plain response.write',
        value: ratioOf(own, costs('plain response.write')).median,
        bound: 1,
      },
      { what: 'CPU per delivery ÷ better-sse', value: ratioOf(own, costs('better-sse')).median, bound: 1 },
    ],
    details: Object.fromEntries(results),
  }
}
