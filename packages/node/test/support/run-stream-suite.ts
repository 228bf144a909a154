import { streamHandlerSuite, type StreamHandlerSetup } from '@millrace/conformance'
import { describe, expect, test } from 'vitest'

/** Runs the suite of stream handlers; what is an exception is skipped by its name, with the reason. */
export function runStreamSuite(setup: StreamHandlerSetup): void {
  const suite = streamHandlerSuite({ timeoutMs: 15_000, comingCount: 150, ...setup })
  describe(`${setup.name}, ${setup.wire}`, () => {
    test.for(suite.map((one) => [one.name, one] as const))('%s', async ([, { exception, run }], { skip }) => {
      skip(exception !== undefined, exception)
      await expect(run()).resolves.toBeUndefined()
    })
  })
}
