import { parseArgs } from 'node:util'
import { createHub } from '@millrace/server'
import { runSeed } from './run-seed.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '400' },
    story: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
  },
})
const count = Number(values.seeds)
const first = Number(values.seed)
const stepCount = Number(values.steps)
const engine = { createHub }

let events = 0
let notices = 0
const startedMs = performance.now()
for (let seed = first; seed < first + count; seed++) {
  const report = await runSeed({ seed, stepCount, engine, tells: values.story })
  events += report.eventsDelivered
  notices += report.noticesDelivered
  if (report.fault !== undefined && values['keep-going']) {
    process.stdout.write(`seed ${seed}: ${report.fault.message}\n`)
    process.exitCode = 1
  } else if (report.fault !== undefined || values.story) {
    const told = values.story ? report : await runSeed({ seed, stepCount, engine, tells: true })
    process.stdout.write(`${told.story.join('\n')}\n`)
    if (report.fault !== undefined) {
      process.stdout.write(`\nseed ${seed}: ${report.fault.stack}\n`)
      process.exitCode = 1
      break
    }
  }
}
const seconds = (performance.now() - startedMs) / 1000
process.stdout.write(
  `${count} seeds of ${stepCount} steps in ${seconds.toFixed(1)} s: ${events} events and ${notices} notices delivered\n`,
)
