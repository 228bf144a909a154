import { AssertionError } from 'node:assert'
import { describe, expect, test } from 'vitest'
import { streamHandlerSuite, type ConformanceCase, type StreamHandlerSetup, type Wire } from '../src/index.ts'
import { serveByHand, type StreamFaults } from './support/handmade-streams.ts'
import { streamFaults } from './support/stream-faults.ts'

const wires: readonly Wire[] = ['http/1.1', 'http/1.0', 'http/2']
const findings = streamFaults.flatMap((fault) => fault.breaks.map((start) => [fault.name, start, fault] as const))

/** Cases that no server of Node can break, each with the reason. */
const unbreakable = new Map([['nothing is said about the connection over HTTP/2', 'node:http2 refuses such headers']])

function setup(wire: Wire, faults: StreamFaults = {}): StreamHandlerSetup {
  return { name: 'by hand', wire, start: () => serveByHand(wire, faults), timeoutMs: 15_000, comingCount: 50 }
}

/** The one case whose name begins so. */
function caseOf(suite: readonly ConformanceCase[], start: string): ConformanceCase {
  const [found, ...others] = suite.filter(({ name }) => name.startsWith(start))
  if (!found || others.length > 0) throw new Error(`${others.length + (found ? 1 : 0)} cases begin with "${start}"`)
  return found
}

describe.each(wires)('the suite accepts a sound handler over %s', (wire) => {
  test.for(streamHandlerSuite(setup(wire)).map((one) => [one.name, one] as const))('%s', async ([, { run }]) => {
    await expect(run()).resolves.toBeUndefined()
  })
})

describe('the suite finds a fault', () => {
  test.for(findings)('%s: %s …', async ([, start, { wire = 'http/1.1', faults }]) => {
    // A fault shows by what comes, or by what does not come: then all there is to do is to wait.
    const { run } = caseOf(streamHandlerSuite({ ...setup(wire, faults), timeoutMs: 400 }), start)
    await expect(run()).rejects.toBeInstanceOf(AssertionError)
  })

  test('each case is shown to find one', () => {
    const shown = new Set(
      findings.map(([, start, { wire = 'http/1.1' }]) => caseOf(streamHandlerSuite(setup(wire)), start).name),
    )
    const names = wires.flatMap((wire) => streamHandlerSuite(setup(wire)).map(({ name }) => name))
    expect(names.filter((name) => !shown.has(name) && !unbreakable.has(name))).toEqual([])
  })

  test('a case that needs what a handler has not is an exception, with its reason', () => {
    const exceptions = { endStreams: 'it cannot', largeBacklog: 'it is small' }
    const suite = streamHandlerSuite({ ...setup('http/1.1'), exceptions })
    expect(caseOf(suite, 'the end comes after').exception).toBe('it cannot')
    expect(caseOf(suite, 'a slow reader gets everything once').exception).toBe('it is small')
    expect(caseOf(suite, 'a stream is answered').exception).toBeUndefined()
  })
})
