import { AssertionError } from 'node:assert'
import { describe, expect, test } from 'vitest'
import { busSuite } from '../src/index.ts'
import { busFaults, busSetup } from './support/bus-faults.ts'
import { caseOf } from './support/case-of.ts'

const findings = busFaults.flatMap((fault) => fault.breaks.map((start) => [fault.name, start, fault] as const))

describe('the suite accepts a sound bus', () => {
  test.for(busSuite(busSetup()).map((one) => [one.name, one] as const))('%s', async ([, { exception, run }]) => {
    expect(exception).toBeUndefined()
    await expect(run()).resolves.toBeUndefined()
  })
})

describe('the suite finds a fault of a bus', () => {
  test.for(findings)('%s: %s …', async ([, start, fault]) => {
    const { run } = caseOf(busSuite(busSetup(fault)), start)
    await expect(run()).rejects.toBeInstanceOf(AssertionError)
  })

  test('each case is shown to find one', () => {
    const suite = busSuite(busSetup())
    const found = new Set(findings.map(([, start]) => caseOf(suite, start).name))
    expect(suite.map(({ name }) => name).filter((name) => !found.has(name))).toEqual([])
  })
})
