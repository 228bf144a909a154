import { parseArgs } from 'node:util'
import { createHub } from '@millrace/server'
import { loadPlanted } from './planted-engine.ts'
import { plantedFaults } from './planted-faults.ts'
import { runSeed } from './run-seed.ts'
import { storyOf } from './story.ts'
import { Violation } from './violation.ts'

const HELP = `Runs the engine through seeded troubles and holds it against its invariants.

  --seeds N      how many seeds (1000)
  --seed S       the first of them (1)
  --steps M      steps of trouble in each run (800)
  --story        tells the story of each run
  --keep-going   does not stop at the first seed that fails
  --planted      plants each fault of planted-faults.ts in turn, and says as JSON lines which seed catches it
`

/** So many seeds may pass before a planted fault counts as not caught. */
const PLANTED_SEEDS = 2_000

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '800' },
    story: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
    planted: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const [count, first, stepCount] = [values.seeds, values.seed, values.steps].map(integerOf) as [number, number, number]

function integerOf(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${text} is not a whole number above 0.`)
  return value
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

let runningSeed = 0
process.on('unhandledRejection', (reason) => {
  say(`seed ${runningSeed}: a promise was rejected and nobody listened`)
  throw reason
})

async function runSeeds(): Promise<void> {
  const engine = { createHub }
  const startedMs = performance.now()
  let [events, notices, failed, done] = [0, 0, 0, 0]
  for (let seed = first; seed < first + count; seed++, done++) {
    runningSeed = seed
    const { fault, eventsDelivered, noticesDelivered } = await runSeed({ seed, stepCount, engine })
    events += eventsDelivered
    notices += noticesDelivered
    if (fault) failed++
    if (fault && values['keep-going']) say(`seed ${seed}: ${fault.message}`)
    else if (fault || values.story) say(await storyOf({ seed, stepCount, engine }))
    if (fault && !values['keep-going']) break
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  say(
    `${done} seeds of ${stepCount} steps in ${seconds} s: ${events} events and ${notices} notices delivered, ${failed} seeds failed.`,
  )
  if (failed > 0) process.exitCode = 1
}

async function runPlanted(): Promise<void> {
  for (const [index, { name, breaks, trySeed = 1 }] of plantedFaults.entries()) {
    const engine = await loadPlanted(index)
    let caught: { readonly seed: number; readonly rule: string } | undefined
    for (let tries = 0; tries <= PLANTED_SEEDS && !caught; tries++) {
      const seed = tries === 0 ? trySeed : tries
      const { fault } = await runSeed({ seed, stepCount, engine })
      if (fault instanceof Violation && breaks.includes(fault.rule)) caught = { seed, rule: fault.rule }
    }
    say(JSON.stringify({ name, ...caught }))
  }
}

if (values.help) say(HELP)
else if (values.planted) await runPlanted()
else await runSeeds()
