import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ownCheckout, type Setup } from '../run/benchmark.ts'
import { postAll, type PostLoad } from '../run/post-load.ts'
import { cpuMsOf } from '../run/process-cpu.ts'
import type { Report } from '../run/report.ts'
import { runRounds, type Contender } from '../run/rounds.ts'
import { startHub, startScript, type ServerProcess } from '../run/server-process.ts'
import { spreadOf } from '../run/statistics.ts'

const DATA_BYTES = 150
const LINES = 10_000
const JSON_TYPE = 'application/json'

interface PublishSpeed {
  readonly perSecond: number
  /** All threads of the server. */
  readonly cpuUsPerEvent: number
}

/** What publishing over HTTP costs the hub: one event a request, an array, and one event a line. */
export async function publish(setup: Setup): Promise<Report> {
  const { rounds, checkouts } = setup
  const { folder } = ownCheckout(setup)
  const results = await runRounds(
    [
      contender('node:http alone, single posts', () => startScript(folder, 'plain-post'), single),
      ...checkouts.flatMap(({ label, folder: each }) => [
        contender(`${label}, memory, single posts`, () => startHub(each), single),
        contender(`${label}, sqlite, single posts`, () => startOnFile(each), single),
        contender(`${label}, sqlite, arrays of 100`, () => startOnFile(each), arrays),
        contender(`${label}, sqlite, lines`, () => startOnFile(each), lines),
      ]),
    ],
    rounds,
  )
  const label = checkouts[0]?.label ?? ''
  /** What a core would do: the server has less than that while the load and others are at work on the machine. */
  const perCore = (name: string): number =>
    spreadOf((results.get(`${label}, sqlite, ${name}`) ?? []).map(({ cpuUsPerEvent }) => 1e6 / cpuUsPerEvent)).median
  return {
    benchmark: 'publish',
    rows: [...results].map(([name, runs]) => ({
      name,
      figures: {
        'events/s': spreadOf(runs.map((run) => run.perSecond)),
        'CPU µs per event': spreadOf(runs.map((run) => run.cpuUsPerEvent)),
        'events/s of one core': spreadOf(runs.map((run) => 1e6 / run.cpuUsPerEvent)),
      },
    })),
    goals: [
      {
        what: 'events/s of one core, single posts to sqlite',
        value: perCore('single posts'),
        bound: 10_000,
        atLeast: true,
      },
      { what: 'events/s of one core, lines to sqlite', value: perCore('lines'), bound: 50_000, atLeast: true },
    ],
    details: Object.fromEntries(results),
  }
}

function event(i: number): string {
  const padding = 'x'.repeat(DATA_BYTES - '{"price":187.25,"p":""}'.length)
  return JSON.stringify({ topic: `bench.${i % 1_000}`, type: 'tick', data: { price: 187.25, p: padding } })
}

const events = (count: number): string[] => Array.from({ length: count }, (_, i) => event(i))

const single: PostLoad & { readonly events: number } = {
  connections: 32,
  requestsPerConnection: 1_500,
  body: event(1),
  contentType: JSON_TYPE,
  idsPerRequest: 1,
  events: 1,
}
const arrays: PostLoad & { readonly events: number } = {
  connections: 8,
  requestsPerConnection: 250,
  body: `[${events(100).join()}]`,
  contentType: JSON_TYPE,
  // One key for all of them.
  idsPerRequest: 1,
  events: 100,
}
const lines: PostLoad & { readonly events: number } = {
  connections: 4,
  requestsPerConnection: 8,
  body: events(LINES).join('\n'),
  contentType: 'application/x-ndjson',
  idsPerRequest: LINES,
  events: LINES,
}

/** Publishes a tenth first, so that what is measured is compiled. */
function contender(
  name: string,
  start: () => Promise<ServerProcess>,
  load: PostLoad & { readonly events: number },
): Contender<PublishSpeed> {
  return {
    name,
    run: async () => {
      const server = await start()
      try {
        await postAll(server.port, '/events', {
          ...load,
          requestsPerConnection: Math.ceil(load.requestsPerConnection / 10),
        })
        const beforeMs = cpuMsOf(server.pid)
        const ms = await postAll(server.port, '/events', load)
        const count = load.connections * load.requestsPerConnection * load.events
        return {
          perSecond: (count * 1000) / ms,
          cpuUsPerEvent: ((cpuMsOf(server.pid) - beforeMs) * 1000) / count,
        }
      } finally {
        await server.stop()
      }
    },
  }
}

async function startOnFile(folder: string): Promise<ServerProcess> {
  const place = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const server = await startHub(folder, [], ['--log', `sqlite:${join(place, 'log.db')}`])
  return {
    ...server,
    async stop() {
      await server.stop()
      rmSync(place, { recursive: true, force: true })
    },
  }
}
