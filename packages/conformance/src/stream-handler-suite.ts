import type { ConformanceCase } from './conformance-case.ts'
import { endingCases } from './stream-handler/ending-cases.ts'
import { eventCases } from './stream-handler/event-cases.ts'
import { headCases } from './stream-handler/head-cases.ts'
import { leavingCases } from './stream-handler/leaving-cases.ts'
import { pipeliningCases } from './stream-handler/pipelining-cases.ts'
import { StreamTest, type StreamCase } from './stream-handler/stream-case.ts'
import type { StreamHandlerSetup } from './stream-handler/stream-handler-setup.ts'

const DEFAULT_TIMEOUT_MS = 5_000
const DEFAULT_COMING_COUNT = 300

/**
 * A handler that serves a stream, tried over real connections, as cases for one server and one wire: what comes over
 * the network is read to the letter of the protocol, so that a byte in the wrong place fails a case.
 */
export function streamHandlerSuite(setup: StreamHandlerSetup): readonly ConformanceCase[] {
  return [...headCases, ...eventCases, ...endingCases, ...leavingCases, ...pipeliningCases]
    .filter(({ wires = [setup.wire] }) => wires.includes(setup.wire))
    .map((streamCase) => caseFor(setup, streamCase))
}

function caseFor(setup: StreamHandlerSetup, { name, clause, needs = [], body }: StreamCase): ConformanceCase {
  const { wire, exceptions = {}, timeoutMs = DEFAULT_TIMEOUT_MS, comingCount = DEFAULT_COMING_COUNT } = setup
  return {
    name,
    clause,
    exception: needs.map((feature) => exceptions[feature]).find((reason) => reason !== undefined),
    async run() {
      const test = new StreamTest(await setup.start(), { wire, timeoutMs, comingCount })
      try {
        await body(test)
      } catch (error) {
        // What failed first is what is told.
        await test.closeAll().catch(() => undefined)
        throw error
      }
      await test.closeAll()
    },
  }
}
