import type { Setup } from '../run/benchmark.ts'
import type { Report } from '../run/report.ts'
import { runRounds, type Contender } from '../run/rounds.ts'
import { startScript } from '../run/server-process.ts'
import { ratioOf, spreadOf } from '../run/statistics.ts'
import type { LogSpeed, LogSpeedSettings } from '../servers/log-speed.ts'

const SETTINGS: Omit<LogSpeedSettings, 'backend'> = {
  publishers: 32,
  eventsPerPublisher: 1_500,
  batches: 2_000,
  eventsPerBatch: 500,
  topicCount: 1_000,
  dataBytes: 150,
  pageCount: 256,
}
const TIMEOUT_MS = 180_000

/** How fast the log in a file stores, reads back, starts and evicts, beside the log in memory. */
export async function sqlite({ rounds, checkouts }: Setup): Promise<Report> {
  const contenders = checkouts.flatMap(({ label, folder }) =>
    (['sqlite', 'memory'] as const).map((backend): Contender<LogSpeed> => ({
      name: `${label}, ${backend}`,
      run: () => measure(folder, backend),
    })),
  )
  const results = await runRounds(contenders, rounds)
  const label = checkouts[0]?.label ?? ''
  const own = results.get(`${label}, sqlite`) ?? []
  const memory = results.get(`${label}, memory`) ?? []
  const median = (figure: keyof LogSpeed): number => spreadOf(own.map((run) => run[figure])).median
  return {
    benchmark: 'sqlite',
    rows: [
      ...[...results].map(([name, runs]) => ({ name, figures: figuresOf(runs) })),
      {
        name: 'sqlite ÷ memory',
        figures: {
          'one by one/s': ratioOf(valuesOf(own, 'singlePerSecond'), valuesOf(memory, 'singlePerSecond')),
          'batches/s': ratioOf(valuesOf(own, 'batchPerSecond'), valuesOf(memory, 'batchPerSecond')),
          'read/s': ratioOf(valuesOf(own, 'readPerSecond'), valuesOf(memory, 'readPerSecond')),
        },
      },
    ],
    goals: [
      { what: 'appends of one event/s', value: median('singlePerSecond'), bound: 10_000, atLeast: true },
      { what: 'events/s in batches', value: median('batchPerSecond'), bound: 50_000, atLeast: true },
      { what: 'events read back/s', value: median('readPerSecond'), bound: 150_000, atLeast: true },
      { what: 'p99 ms of an append while everything is evicted', value: median('evictingP99Ms'), bound: 20 },
      { what: 'restart, ms', value: median('restartMs'), bound: 3_000 },
    ],
    details: Object.fromEntries(results),
  }
}

function figuresOf(runs: readonly LogSpeed[]): Report['rows'][number]['figures'] {
  const spread = (figure: keyof LogSpeed): ReturnType<typeof spreadOf> => spreadOf(valuesOf(runs, figure))
  return {
    'one by one/s': spread('singlePerSecond'),
    'p99 ms': spread('singleP99Ms'),
    'batches/s': spread('batchPerSecond'),
    'read/s': spread('readPerSecond'),
    'restart ms': spread('restartMs'),
    'evicted/s': spread('evictedPerSecond'),
    'meanwhile p50 ms': spread('evictingP50Ms'),
    'meanwhile p99 ms': spread('evictingP99Ms'),
    'meanwhile max ms': spread('evictingMaxMs'),
  }
}

function valuesOf(runs: readonly LogSpeed[], figure: keyof LogSpeed): number[] {
  return runs.map((run) => run[figure])
}

async function measure(folder: string, backend: LogSpeedSettings['backend']): Promise<LogSpeed> {
  const server = await startScript(folder, 'log-speed', { ...SETTINGS, backend })
  try {
    return await server.ask<LogSpeed>('result', TIMEOUT_MS)
  } finally {
    await server.stop()
  }
}
