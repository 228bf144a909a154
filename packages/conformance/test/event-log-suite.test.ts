import { AssertionError } from 'node:assert'
import { LogError } from '@millrace/server'
import { describe, expect, test } from 'vitest'
import { eventLogSuite } from '../src/index.ts'
import { appendFaults } from './support/append-faults.ts'
import { caseOf } from './support/case-of.ts'
import { dedupeFaults } from './support/dedupe-faults.ts'
import { logSetup } from './support/log-setup.ts'
import { readFaults } from './support/read-faults.ts'
import { recentFaults } from './support/recent-faults.ts'
import { retentionFaults } from './support/retention-faults.ts'
import { snapshotPageFaults } from './support/snapshot-page-faults.ts'
import { stateFaults } from './support/state-faults.ts'
import { tailFaults } from './support/tail-faults.ts'

const faults = [
  ...appendFaults,
  ...readFaults,
  ...recentFaults,
  ...retentionFaults,
  ...tailFaults,
  ...dedupeFaults,
  ...stateFaults,
  ...snapshotPageFaults,
]
const findings = faults.flatMap((fault) => fault.breaks.map((start) => [fault.name, start, fault] as const))

describe('the suite accepts a sound log', () => {
  test.for(eventLogSuite(logSetup()).map((one) => [one.name, one] as const))('%s', async ([, { exception, run }]) => {
    expect(exception).toBeUndefined()
    await expect(run()).resolves.toBeUndefined()
  })
})

describe('the suite finds a fault', () => {
  test.for(findings)('%s: %s …', async ([, start, fault]) => {
    const { run } = caseOf(eventLogSuite(logSetup(fault)), start)
    await expect(run()).rejects.toSatisfy((error) => error instanceof AssertionError || error instanceof LogError)
  })

  test('each case is shown to find one', () => {
    const suite = eventLogSuite(logSetup())
    const shown = new Set(findings.map(([, start]) => caseOf(suite, start).name))
    expect(suite.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([])
  })
})

test('a case that a log cannot be tried with is an exception with its reason', () => {
  const exceptions = { advanceClock: 'its clock cannot be moved' }
  const guarantees = { ...logSetup().guarantees, atomicBatch: false }
  const suite = eventLogSuite({ ...logSetup(), guarantees, exceptions })
  expect(caseOf(suite, 'age does not touch').exception).toBe('its clock cannot be moved')
  expect(caseOf(suite, 'an event that is malformed').exception).toBe('a sound log does not guarantee atomicBatch')
  expect(caseOf(suite, 'a read after any position').exception).toBeUndefined()
})

test('a case that a log does not meet yet is an exception by its name, which must be that of a case', () => {
  const name = 'an empty list stores nothing'
  const suite = eventLogSuite({ ...logSetup(), notMet: { [name]: 'to be mended' } })
  expect(suite.filter(({ exception }) => exception !== undefined).map((one) => [one.name, one.exception])).toEqual([
    [name, 'to be mended'],
  ])
  const wrong = { 'an empty list stores nothing at all': 'to be mended' }
  expect(() => eventLogSuite({ ...logSetup(), notMet: wrong })).toThrow(
    'a case that there is not: "an empty list stores',
  )
})
