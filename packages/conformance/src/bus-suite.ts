import { busCases } from './bus/bus-cases.ts'
import type { BusCase, BusSetup } from './bus/bus-setup.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { soon } from './soon.ts'

const DEFAULT_TIMEOUT_MS = 5000

/** Every sentence of the contract of `Bus`, as cases for one implementation. */
export function busSuite(setup: BusSetup): readonly ConformanceCase[] {
  return busCases.map((one) => caseFor(setup, one))
}

function caseFor(
  { create, timeoutMs = DEFAULT_TIMEOUT_MS }: BusSetup,
  { name, clause, body }: BusCase,
): ConformanceCase {
  return {
    name,
    clause,
    exception: undefined,
    async run() {
      const handle = await create()
      try {
        await soon(body(handle), timeoutMs, 'the case to end')
      } finally {
        await soon(
          Promise.all([handle.bus.close(), handle.peer?.close()]).then(() => handle.close?.()),
          timeoutMs,
          'close() to resolve',
        )
      }
    },
  }
}
