import type { ConformanceCase } from './conformance-case.ts'
import { registryCases } from './registry/registry-cases.ts'
import type { RegistryCase, RegistrySetup } from './registry/registry-setup.ts'
import { soon } from './soon.ts'

const DEFAULT_TIMEOUT_MS = 5000

/** Every sentence of the contract of `Registry`, as cases for one implementation. */
export function registrySuite(setup: RegistrySetup): readonly ConformanceCase[] {
  return registryCases.map((one) => caseFor(setup, one))
}

function caseFor(
  setup: RegistrySetup,
  { name, clause, needs = [], options = {}, body }: RegistryCase,
): ConformanceCase {
  const { exceptions = {}, timeoutMs = DEFAULT_TIMEOUT_MS } = setup
  return {
    name,
    clause,
    exception: needs.map((feature) => exceptions[feature]).find((reason) => reason !== undefined),
    async run() {
      const handle = await setup.create(options)
      try {
        await soon(body(handle), timeoutMs, 'the case to end')
      } finally {
        await soon(
          Promise.all([handle.registry.close(), handle.peer?.close()]).then(() => handle.close?.()),
          timeoutMs,
          'close() to resolve',
        )
      }
    },
  }
}
