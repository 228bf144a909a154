import type { Setup } from '../run/benchmark.ts'
import { runLoad, type LoadResult } from '../run/load.ts'
import type { Report } from '../run/report.ts'
import { runRounds, type Contender } from '../run/rounds.ts'
import { startScript } from '../run/server-process.ts'
import { ratioOf, spreadOf } from '../run/statistics.ts'
import type { Publication, PublishingHubSettings, PublishingResult } from '../servers/publishing-hub.ts'

const CLIENTS = 10_000
const SECONDS = 6
const DATA_BYTES = 150
const COMMON = '/events?topic=common'
const OWN_AND_COMMON = '/events?topic=common,own.{n}'

interface Traffic {
  readonly name: string
  readonly commonPerSecond: number
  readonly ownPerSecond: number
  /** Whether the goal is held here. */
  readonly isGoal: boolean
}

const TRAFFIC: readonly Traffic[] = [
  { name: '5 events/s', commonPerSecond: 5, ownPerSecond: 0, isGoal: true },
  { name: '100 events/s', commonPerSecond: 100, ownPerSecond: 0, isGoal: true },
  { name: '100 events/s, 1,000 own', commonPerSecond: 100, ownPerSecond: 1_000, isGoal: false },
]

/** What it costs that every client has a topic of its own beside the common one, instead of all asking for the same. */
export async function audiences({ referee, rounds, checkouts }: Setup): Promise<Report> {
  const contenders: Contender<LoadResult>[] = []
  for (const { label, folder } of checkouts) {
    for (const traffic of TRAFFIC) {
      for (const path of [COMMON, OWN_AND_COMMON]) {
        contenders.push({
          name: nameOf(label, traffic, path),
          run: () => measure(referee.sseloadNumbered, folder, traffic, path),
        })
      }
    }
  }
  const results = await runRounds(contenders, rounds)
  const costs = (name: string): number[] => (results.get(name) ?? []).map((run) => run.cpu_us_per_delivery)
  const ratio = (label: string, traffic: Traffic): ReturnType<typeof ratioOf> =>
    ratioOf(costs(nameOf(label, traffic, OWN_AND_COMMON)), costs(nameOf(label, traffic, COMMON)))
  return {
    benchmark: 'audiences',
    rows: checkouts.flatMap(({ label }) =>
      TRAFFIC.map((traffic) => ({
        name: `${label}, ${traffic.name}`,
        figures: {
          'one audience, CPU µs per delivery': spreadOf(costs(nameOf(label, traffic, COMMON))),
          'own and common': spreadOf(costs(nameOf(label, traffic, OWN_AND_COMMON))),
          ratio: ratio(label, traffic),
          'p99 ms, one': spreadOf((results.get(nameOf(label, traffic, COMMON)) ?? []).map((run) => run.p99_ms)),
          'own and common, p99 ms': spreadOf(
            (results.get(nameOf(label, traffic, OWN_AND_COMMON)) ?? []).map((run) => run.p99_ms),
          ),
        },
      })),
    ),
    goals: TRAFFIC.filter(({ isGoal }) => isGoal).map((traffic) => ({
      what: `own and common ÷ one audience, ${traffic.name}`,
      value: ratio(checkouts[0]?.label ?? '', traffic).median,
      bound: 1.3,
    })),
    details: Object.fromEntries(results),
  }
}

function nameOf(label: string, { name }: Traffic, path: string): string {
  return `${label}, ${name}, ${path === COMMON ? 'one audience' : 'own and common'}`
}

async function measure(program: string, folder: string, traffic: Traffic, path: string): Promise<LoadResult> {
  const { commonPerSecond, ownPerSecond } = traffic
  const publications: Publication[] = [{ topic: 'common', topicCount: 1, eventsPerSecond: commonPerSecond }]
  // Those who have no own topic get the same publications; they just go to nobody.
  if (ownPerSecond > 0) publications.push({ topic: 'own.{n}', topicCount: CLIENTS, eventsPerSecond: ownPerSecond })
  const settings: PublishingHubSettings = { clients: CLIENTS, publications, seconds: SECONDS, dataBytes: DATA_BYTES }
  const server = await startScript(folder, 'publishing-hub', settings)
  try {
    const result = await runLoad(program, server, { clients: CLIENTS, path, quietSeconds: 4, timeoutMs: 120_000 })
    const { refused } = await server.ask<PublishingResult>('result')
    const own = path === OWN_AND_COMMON ? ownPerSecond * SECONDS : 0
    const expected = commonPerSecond * SECONDS * CLIENTS + own
    if (refused > 0 || result.events !== expected) {
      throw new Error(`${result.events} of ${expected} arrived, ${refused} were refused`)
    }
    return result
  } finally {
    await server.stop()
  }
}
