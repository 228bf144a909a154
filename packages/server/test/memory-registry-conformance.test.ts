import { registrySuite } from '@millrace/conformance'
import { expect, test } from 'vitest'
import { memory } from '../src/memory/memory-backend.ts'
import { SteppingClock } from './support/stepping-clock.ts'

const suite = registrySuite({
  name: 'the memory registry',
  async create(options) {
    const clock = new SteppingClock()
    const { registry } = memory({ ...options, clock })
    return { registry, advanceClock: (ms) => clock.pass(ms) }
  },
  exceptions: { interruption: 'it is in the process that uses it, and never away' },
})

test.for(suite.map((one) => [one.name, one] as const))(
  'the memory registry: %s',
  async ([, { exception, run }], { skip }) => {
    skip(exception !== undefined, exception)
    await expect(run()).resolves.toBeUndefined()
  },
)
