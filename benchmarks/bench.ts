// The command: `npm run bench -- <name>`. See README.md.
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Benchmark, Checkout } from './run/benchmark.ts'
import { audiences } from './cases/audiences.ts'
import { engine } from './cases/engine.ts'
import { eventSource } from './cases/event-source.ts'
import { fanOut } from './cases/fan-out.ts'
import { idle } from './cases/idle.ts'
import { publish } from './cases/publish.ts'
import { replay } from './cases/replay.ts'
import { slow } from './cases/slow.ts'
import { sqlite } from './cases/sqlite.ts'
import { sqliteHub } from './cases/sqlite-hub.ts'
import { throughput } from './cases/throughput.ts'
import { compileReferee } from './run/referee.ts'
import { describeMachine, publishReport } from './run/report.ts'

const benchmarks: Readonly<Record<string, Benchmark>> = {
  'fan-out': fanOut,
  throughput,
  audiences,
  idle,
  slow,
  replay,
  engine,
  sqlite,
  'sqlite-hub': sqliteHub,
  publish,
  'event-source': eventSource,
}

const USAGE = `Usage: npm run bench -- <name> [--rounds 5] [--against FOLDER] [--json FILE]
Names: ${Object.keys(benchmarks).join(', ')}
  --rounds N        interleaved rounds; the median is reported
  --against FOLDER  another checkout, with its node_modules, to run in the same rounds
  --json FILE       writes every figure of every round
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    against: { type: 'string' },
    json: { type: 'string' },
  },
})
const benchmark = benchmarks[positionals[0] ?? '']
const rounds = Number(values.rounds)
if (!benchmark || !Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(USAGE)
  process.exit(2)
}
// What was started is stopped on exit, and a signal alone would not be one.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const checkouts: Checkout[] = [{ label: 'millrace', folder: fileURLToPath(new URL('..', import.meta.url)) }]
if (values.against) checkouts.push({ label: 'millrace, other checkout', folder: resolve(values.against) })
const machine = describeMachine()
const referee = await compileReferee()
try {
  const report = await benchmark({ referee, rounds, checkouts })
  const isMet = await publishReport(report, machine, values.json)
  process.exitCode = isMet ? 0 : 1
} finally {
  await referee.remove()
}
