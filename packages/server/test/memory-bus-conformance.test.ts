import { busSuite } from '@millrace/conformance'
import { expect, test } from 'vitest'
import { memory } from '../src/memory/memory-backend.ts'

const suite = busSuite({ name: 'the memory bus', create: async () => ({ bus: memory().bus }) })

test.for(suite.map((one) => [one.name, one] as const))('the memory bus: %s', async ([, { run }]) => {
  await expect(run()).resolves.toBeUndefined()
})
