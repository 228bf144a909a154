import { eventLogSuite, SeededRandom } from '@millrace/conformance'
import { expect, test } from 'vitest'
import { memory } from '../src/memory/memory-backend.ts'
import { seededChance } from './support/seeded-chance.ts'
import { SteppingClock } from './support/stepping-clock.ts'

const seeds = new SeededRandom(1)

const suite = eventLogSuite({
  name: 'the memory log',
  guarantees: { durable: false, shared: false, atomicBatch: true, exactEviction: true },
  async create(options) {
    const clock = new SteppingClock()
    const { log } = memory({ ...options, clock, chance: seededChance(seeds.integer(1, 2 ** 31)) })
    return {
      log,
      advanceClock: (ms) => clock.pass(ms),
      stepWallClock: (ms) => clock.step(ms),
    }
  },
  exceptions: {
    interruption: 'it is in the process that uses it, and never away',
    newEpoch: 'its epoch lasts as long as its process',
  },
})

test.for(suite.map((one) => [one.name, one] as const))(
  'the memory log: %s',
  async ([, { exception, run }], { skip }) => {
    skip(exception !== undefined, exception)
    await expect(run()).resolves.toBeUndefined()
  },
)
