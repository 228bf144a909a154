import { AssertionError } from 'node:assert'
import { BackendError } from '@millrace/server'
import { describe, expect, test } from 'vitest'
import { registrySuite } from '../src/index.ts'
import { caseOf } from './support/case-of.ts'
import { registryFaults, registrySetup } from './support/registry-faults.ts'

const findings = registryFaults.flatMap((fault) => fault.breaks.map((start) => [fault.name, start, fault] as const))

describe('the suite accepts a sound registry', () => {
  test.for(registrySuite(registrySetup()).map((one) => [one.name, one] as const))(
    '%s',
    async ([, { exception, run }]) => {
      expect(exception).toBeUndefined()
      await expect(run()).resolves.toBeUndefined()
    },
  )
})

describe('the suite finds a fault of a registry', () => {
  test.for(findings)('%s: %s …', async ([, start, fault]) => {
    const { run } = caseOf(registrySuite(registrySetup(fault)), start)
    await expect(run()).rejects.toSatisfy((error) => error instanceof AssertionError || error instanceof BackendError)
  })

  test('each case is shown to find one', () => {
    const suite = registrySuite(registrySetup())
    const found = new Set(findings.map(([, start]) => caseOf(suite, start).name))
    expect(suite.map(({ name }) => name).filter((name) => !found.has(name))).toEqual([])
  })

  test('a case that a registry cannot be tried with is an exception with its reason', () => {
    const exceptions = { advanceClock: 'its clock cannot be moved' }
    const suite = registrySuite({ ...registrySetup(), exceptions })
    expect(caseOf(suite, 'an entry is there').exception).toBe('its clock cannot be moved')
    expect(caseOf(suite, 'a value is taken once').exception).toBeUndefined()
  })
})
