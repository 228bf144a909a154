import { ownCheckout, type Setup } from '../run/benchmark.ts'
import { runLoad, type LoadResult } from '../run/load.ts'
import type { Report } from '../run/report.ts'
import { runRounds, type Contender } from '../run/rounds.ts'
import { startHub, startScript, type ServerProcess } from '../run/server-process.ts'
import { spreadOf, type Spread } from '../run/statistics.ts'
import type { MemoryUse } from '../servers/answers.ts'
import type { IdleLayer, IdleMemory, IdleSettings } from '../servers/idle.ts'

const CLIENTS = 10_000
const SMALL = ', small young generation'
/**
 * V8 lets the young generation grow to 100 MB while connections come, and keeps it: that is a fact of the process, not
 * of the stream, but ten thousand streams have to bear it.
 */
const YOUNG_GENERATIONS: readonly { readonly suffix: string; readonly options: readonly string[] }[] = [
  { suffix: '', options: [] },
  { suffix: SMALL, options: ['--max-semi-space-size=4'] },
]

interface Run extends LoadResult {
  readonly memory: IdleMemory | undefined
}

/** What an open stream holds while nothing happens on it, layer by layer, and how fast they open. */
export async function idle(setup: Setup): Promise<Report> {
  const { referee, rounds, checkouts } = setup
  const { folder } = ownCheckout(setup)
  const contender = (name: string, start: () => Promise<ServerProcess>, answers: boolean): Contender<Run> => ({
    name,
    run: async () => {
      const server = await start()
      try {
        const load = { clients: CLIENTS, path: '/events', quietSeconds: 6, timeoutMs: 90_000 }
        const [result, memory] = await Promise.all([
          runLoad(referee.sseload, server, load),
          answers ? server.ask<IdleMemory>('result') : undefined,
        ])
        return { ...result, memory }
      } finally {
        await server.stop()
      }
    },
  })
  const layered = (name: string, from: string, layer: IdleLayer, options: readonly string[]): Contender<Run> => {
    const settings: IdleSettings = { clients: CLIENTS, layer }
    return contender(name, () => startScript(from, 'idle', settings, ['--expose-gc', ...options]), true)
  }
  const contenders = YOUNG_GENERATIONS.flatMap(({ suffix, options }) => [
    ...checkouts.flatMap(({ label, folder: each }) => [
      contender(`${label} serve${suffix}`, () => startHub(each, options), false),
      layered(`${label}: hub in a server${suffix}`, each, 'hub', options),
      layered(`${label}: transport alone${suffix}`, each, 'transport', options),
    ]),
    layered(`node:http alone${suffix}`, folder, 'http', options),
    contender(`plain response.write${suffix}`, () => startScript(folder, 'plain', {}, options), false),
    contender(`better-sse${suffix}`, () => startScript(folder, 'better-sse', {}, options), false),
  ])
  const results = await runRounds(contenders, rounds)
  const own = results.get(`${checkouts[0]?.label} serve${SMALL}`) ?? []
  return {
    benchmark: 'idle',
    rows: [...results].map(([name, runs]) => ({
      name,
      figures: {
        'KB per client': spreadOf(runs.map((run) => run.kb_per_conn)),
        '10,000 connects, s': spreadOf(runs.map((run) => run.connect_s)),
        ...(runs[0]?.memory ? growth(runs) : {}),
      },
    })),
    goals: [{ what: `KB per client${SMALL}`, value: spreadOf(own.map((run) => run.kb_per_conn)).median, bound: 15 }],
    details: Object.fromEntries(results),
  }
}

/** What each client added, in KB, after a collection of garbage. */
function growth(runs: readonly Run[]): Record<string, Spread> {
  const kb = (pick: (use: MemoryUse) => number): Spread =>
    spreadOf(
      runs.flatMap(({ memory }) => (memory ? [(pick(memory.after) - pick(memory.before)) / CLIENTS / 1024] : [])),
    )
  return {
    'after GC': kb((use) => use.rssBytes),
    'JS heap': kb((use) => use.heapUsedBytes),
    'heap, reserved': kb((use) => use.heapTotalBytes),
    'outside the heap': kb((use) => use.rssBytes - use.heapTotalBytes),
    external: kb((use) => use.externalBytes),
  }
}
