import type { Setup } from '../run/benchmark.ts'
import { runLoad, type LoadResult } from '../run/load.ts'
import type { Report } from '../run/report.ts'
import { runRounds, type Contender } from '../run/rounds.ts'
import { startScript } from '../run/server-process.ts'
import { spreadOf } from '../run/statistics.ts'
import type { MissedEvents, ReturningHubSettings } from '../servers/returning-hub.ts'

const CLIENTS = 10_000
const COMMON_COUNT = 90
const GROUP_COUNT = 100
const EVENTS_PER_GROUP = 10
const DATA_BYTES = 150

interface Run extends LoadResult {
  /** From the first connect to the last missed event of the last client. */
  readonly caughtUpMs: number
}

/** How long it takes until 10,000 clients that come back at once have the 100 events that each of them missed. */
export async function replay({ referee, rounds, checkouts }: Setup): Promise<Report> {
  const contenders = checkouts.map(({ label, folder }): Contender<Run> => ({
    name: label,
    run: () => measure(referee.sseloadNumbered, folder),
  }))
  const results = await runRounds(contenders, rounds)
  const own = results.get(checkouts[0]?.label ?? '') ?? []
  return {
    benchmark: 'replay',
    rows: [...results].map(([name, runs]) => ({
      name,
      figures: {
        'all caught up, s': spreadOf(runs.map((run) => run.caughtUpMs / 1000)),
        'all connected, s': spreadOf(runs.map((run) => run.connect_s)),
        'events arrived': spreadOf(runs.map((run) => run.events)),
      },
    })),
    goals: [{ what: 'all caught up, s', value: spreadOf(own.map((run) => run.caughtUpMs / 1000)).median, bound: 5 }],
    details: Object.fromEntries(results),
  }
}

async function measure(program: string, folder: string): Promise<Run> {
  const settings: ReturningHubSettings = {
    commonCount: COMMON_COUNT,
    groupCount: GROUP_COUNT,
    eventsPerGroup: EVENTS_PER_GROUP,
    dataBytes: DATA_BYTES,
  }
  const server = await startScript(folder, 'returning-hub', settings)
  try {
    const { lastEventId, stampNs } = await server.ask<MissedEvents>('result')
    const path = `/events?topic=common,group.{n%${GROUP_COUNT}}&last_event_id=${lastEventId}`
    const startNs = Number(process.hrtime.bigint())
    const result = await runLoad(program, server, { clients: CLIENTS, path, quietSeconds: 3, timeoutMs: 120_000 })
    const expected = CLIENTS * (COMMON_COUNT + EVENTS_PER_GROUP)
    if (result.events !== expected) throw new Error(`${result.events} of ${expected} events arrived`)
    return { ...result, caughtUpMs: result.max_ms - (startNs - stampNs) / 1e6 }
  } finally {
    await server.stop()
  }
}
