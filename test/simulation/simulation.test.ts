import { createHub } from '@millrace/server'
import { expect, test } from 'vitest'
import { runSeed } from './run-seed.ts'
import { storyOf } from './story.ts'

const STEP_COUNT = 800
const SEEDS_PER_TEST = 125
const TEST_COUNT = 8

const engine = { createHub }

for (let part = 0; part < TEST_COUNT; part++) {
  const first = part * SEEDS_PER_TEST + 1
  test(`seeds ${first} to ${first + SEEDS_PER_TEST - 1} keep every invariant`, async () => {
    let eventsDelivered = 0
    let noticesDelivered = 0
    for (let seed = first; seed < first + SEEDS_PER_TEST; seed++) {
      const report = await runSeed({ seed, stepCount: STEP_COUNT, engine })
      if (report.fault) throw new Error(await storyOf({ seed, stepCount: STEP_COUNT, engine }), { cause: report.fault })
      eventsDelivered += report.eventsDelivered
      noticesDelivered += report.noticesDelivered
    }
    // A simulation in which nothing happens would keep every invariant too.
    expect(eventsDelivered).toBeGreaterThan(5_000)
    expect(noticesDelivered).toBeGreaterThan(300)
  })
}

test('the same seed tells the same story', async () => {
  const [first, second] = [
    await storyOf({ seed: 7, stepCount: 300, engine }),
    await storyOf({ seed: 7, stepCount: 300, engine }),
  ]
  expect(first.length).toBeGreaterThan(1_000)
  expect(second).toBe(first)
})
