import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Setup } from '../run/benchmark.ts'
import type { Report } from '../run/report.ts'
import { runRounds, type Contender } from '../run/rounds.ts'
import { ratioOf, spreadOf } from '../run/statistics.ts'
import type { EngineCost, EngineSettings } from '../servers/engine-alone.ts'

const CLIENTS = 10_000
const PASSES = 200
const DATA_BYTES = 150
const TIMEOUT_MS = 60_000

const LOADS: readonly { readonly name: string; readonly commonPerPass: number; readonly ownPerPass: number }[] = [
  { name: '1 event a pass', commonPerPass: 1, ownPerPass: 0 },
  { name: '8 events a pass', commonPerPass: 8, ownPerPass: 0 },
  { name: '8 events a pass, 80 own', commonPerPass: 8, ownPerPass: 80 },
]

/** What the engine itself costs per event and client, without sockets: small beside a write, and less disturbed. */
export async function engine({ rounds, checkouts }: Setup): Promise<Report> {
  const contenders = LOADS.flatMap(({ name, commonPerPass, ownPerPass }) =>
    [false, true].flatMap((hasOwnTopics) =>
      checkouts.map(({ label, folder }): Contender<EngineCost> => {
        const settings: EngineSettings = {
          clients: CLIENTS,
          hasOwnTopics,
          commonPerPass,
          ownPerPass,
          passes: PASSES,
          dataBytes: DATA_BYTES,
        }
        const who = hasOwnTopics ? 'own and common' : 'one audience'
        return { name: `${who}, ${name}: ${label}`, run: () => measure(folder, settings) }
      }),
    ),
  )
  const results = await runRounds(contenders, rounds)
  const costs = (name: string): number[] => (results.get(name) ?? []).map((run) => run.nsPerDelivery)
  const [own, other] = checkouts
  return {
    benchmark: 'engine',
    rows: contenders.map(({ name }) => ({
      name,
      figures: {
        'CPU ns per delivery': spreadOf(costs(name)),
        ...(own && other && name.endsWith(`: ${other.label}`)
          ? { [`× ${own.label}`]: ratioOf(costs(name), costs(name.replace(`: ${other.label}`, `: ${own.label}`))) }
          : {}),
      },
    })),
    goals: [],
    details: Object.fromEntries(results),
  }
}

async function measure(folder: string, settings: EngineSettings): Promise<EngineCost> {
  const script = join(folder, 'benchmarks/servers/engine-alone.ts')
  const args = ['--conditions=@millrace/source', script, JSON.stringify(settings)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: TIMEOUT_MS })
  return JSON.parse(stdout) as EngineCost
}
