import { expect, test } from 'vitest'
import { runPlanted } from './planted-run.ts'
import { plant, sourceOf } from './planted-engine.ts'
import { plantedFaults } from './planted-faults.ts'

test.each(plantedFaults)('the snippet of "$name" stands once in $file', (fault) => {
  expect(plant(sourceOf(fault), fault)).not.toBe(sourceOf(fault))
})

test('each planted fault is caught by a rule that it breaks', async () => {
  const outcomes = await runPlanted()
  expect(outcomes.map(({ name }) => name)).toEqual(plantedFaults.map(({ name }) => name))
  for (const { name, seed } of outcomes) expect.soft(seed, `"${name}" is not caught`).toBeDefined()
})
