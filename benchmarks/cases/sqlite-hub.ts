import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ownCheckout, type Setup } from '../run/benchmark.ts'
import { runLoad } from '../run/load.ts'
import type { Referee } from '../run/referee.ts'
import type { Report } from '../run/report.ts'
import { returnAll } from '../run/returning-clients.ts'
import { runRounds, type Contender } from '../run/rounds.ts'
import { startScript, type ServerProcess } from '../run/server-process.ts'
import { ratioOf, spreadOf } from '../run/statistics.ts'
import type { FilledHub, FilledHubSettings, LiveResult } from '../servers/filled-hub.ts'

const ALL_COUNT = 1_000_000
const LIVE_CLIENTS = 100
const RETURNING_CLIENTS = 1_000
const MISSED_COUNT = 100_000
/** Each client that comes back follows one of so many topics. */
const TOPIC_COUNT = 100
const SETTLE_MS = 2_000

const SETTINGS: Omit<FilledHubSettings, 'folder' | 'backend' | 'eventCount'> = {
  topicCount: TOPIC_COUNT,
  dataBytes: 150,
  idCount: MISSED_COUNT,
  liveEventsPerSecond: 50,
  liveSeconds: 10,
}

type Backend = FilledHubSettings['backend']

interface Run {
  readonly readPerSecond?: number
  readonly caughtUpMs?: number
  readonly caughtUpEvents?: number
  readonly liveP99Ms?: number
}

/** A hub with its log in a file, beside one with its log in memory: a long replay, many that return, and who is live. */
export async function sqliteHub(setup: Setup): Promise<Report> {
  const { referee, rounds } = setup
  const { folder } = ownCheckout(setup)
  const contenders = (['sqlite', 'memory'] as const).flatMap((backend): Contender<Run>[] => [
    { name: `${backend}: one reads all`, run: () => readAll(referee, folder, backend) },
    { name: `${backend}: live`, run: () => live(referee, folder, backend, 0) },
    { name: `${backend}: live, and many return`, run: () => live(referee, folder, backend, RETURNING_CLIENTS) },
  ])
  const results = await runRounds(contenders, rounds)
  const values = (name: string, figure: keyof Run): number[] =>
    (results.get(name) ?? []).map((run) => run[figure]).filter((value) => value !== undefined)
  const median = (name: string, figure: keyof Run): number => spreadOf(values(name, figure)).median
  const ratio = ratioOf(values('sqlite: live', 'liveP99Ms'), values('memory: live', 'liveP99Ms'))
  const returning = 'sqlite: live, and many return'
  return {
    benchmark: 'sqlite-hub',
    rows: [
      ...contenders.map(({ name }) => ({ name, figures: figuresOf(name, values) })),
      { name: 'sqlite ÷ memory', figures: { 'live p99 ms': ratio } },
    ],
    goals: [
      {
        what: 'events read back by one client/s',
        value: median('sqlite: one reads all', 'readPerSecond'),
        bound: 150_000,
        atLeast: true,
      },
      { what: 'all that return have caught up, s', value: median(returning, 'caughtUpMs') / 1000, bound: 10 },
      { what: 'live p99 ms meanwhile', value: median(returning, 'liveP99Ms'), bound: 100 },
      { what: 'live p99, × that of the log in memory', value: ratio.median, bound: 1.5 },
    ],
    details: Object.fromEntries(results),
  }
}

function figuresOf(
  name: string,
  values: (name: string, figure: keyof Run) => number[],
): Report['rows'][number]['figures'] {
  const figures: Record<string, Report['rows'][number]['figures'][string]> = {}
  for (const [what, figure] of [
    ['read/s', 'readPerSecond'],
    ['caught up, ms', 'caughtUpMs'],
    ['events caught up', 'caughtUpEvents'],
    ['live p99 ms', 'liveP99Ms'],
  ] as const) {
    const found = values(name, figure)
    if (found.length > 0) figures[what] = spreadOf(found)
  }
  return figures
}

/** One client comes back from before everything. */
async function readAll({ sseload }: Referee, folder: string, backend: Backend): Promise<Run> {
  return withHub(folder, backend, ALL_COUNT, async (server, { firstId, stampNs }) => {
    const startNs = Number(process.hrtime.bigint())
    const path = `/events?topic=topic.*&last_event_id=${firstId}`
    const result = await runLoad(sseload, server, { clients: 1, path, quietSeconds: 3, timeoutMs: 120_000 })
    if (result.events !== ALL_COUNT) throw new Error(`${result.events} of ${ALL_COUNT} events arrived`)
    return { readPerSecond: (ALL_COUNT * 1000) / (result.max_ms - (startNs - stampNs) / 1e6) }
  })
}

/** Some are live; others come back meanwhile, from places all over the last events, and leave when they have caught up. */
async function live({ sseload }: Referee, folder: string, backend: Backend, returning: number): Promise<Run> {
  return withHub(folder, backend, MISSED_COUNT, async (server, { ids }) => {
    const load = { clients: LIVE_CLIENTS, path: '/events?topic=live', quietSeconds: 3, timeoutMs: 120_000 }
    const referee = runLoad(sseload, server, load)
    await delay(SETTLE_MS)
    const publishing = server.ask<LiveResult>('publish')
    const clients = Array.from({ length: returning }, (_, i) => ({
      path: `/events?topic=topic.${i % TOPIC_COUNT}&last_event_id=${ids[(i * 7919) % ids.length]}`,
    }))
    const returned = returning > 0 ? await returnAll(server.port, clients, 60_000) : undefined
    const { published, refused } = await publishing
    const { events, p99_ms: liveP99Ms } = await referee
    if (refused > 0 || events !== published * LIVE_CLIENTS) {
      throw new Error(`${events} of ${published * LIVE_CLIENTS} live events arrived, ${refused} were refused`)
    }
    return { liveP99Ms, ...(returned && { caughtUpMs: returned.caughtUpMs, caughtUpEvents: returned.events }) }
  })
}

async function withHub<Result>(
  checkout: string,
  backend: Backend,
  eventCount: number,
  body: (server: ServerProcess, filled: FilledHub) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  const settings: FilledHubSettings = { ...SETTINGS, folder, backend, eventCount }
  const server = await startScript(checkout, 'filled-hub', settings)
  try {
    return await body(server, await server.ask<FilledHub>('result', 120_000))
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
