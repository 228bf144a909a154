import type { ConformanceCase } from './conformance-case.ts'
import { appendCases } from './event-log/append-cases.ts'
import { closeCases } from './event-log/close-cases.ts'
import { dedupeCases } from './event-log/dedupe-cases.ts'
import type { EventLogSetup } from './event-log/event-log-setup.ts'
import { faultCases } from './event-log/fault-cases.ts'
import { LogTest, type LogCase } from './event-log/log-case.ts'
import { modelCases } from './event-log/model-cases.ts'
import { readCases } from './event-log/read-cases.ts'
import { recentCases } from './event-log/recent-cases.ts'
import { resumeCases } from './event-log/resume-cases.ts'
import { retentionCases } from './event-log/retention-cases.ts'
import { snapshotCases } from './event-log/snapshot-cases.ts'
import { snapshotPageCases } from './event-log/snapshot-page-cases.ts'
import { stateCases } from './event-log/state-cases.ts'
import { tailCases } from './event-log/tail-cases.ts'

const DEFAULT_TIMEOUT_MS = 5000
const DEFAULT_MODEL_RUN_COUNT = 20

/**
 * Every sentence of the contract of `EventLog`, as cases for one implementation.
 *
 * @throws Error when `notMet` names a case that there is not
 */
export function eventLogSuite(setup: EventLogSetup): readonly ConformanceCase[] {
  const cases = [
    ...appendCases,
    ...dedupeCases,
    ...readCases,
    ...recentCases,
    ...resumeCases,
    ...retentionCases,
    ...snapshotCases,
    ...snapshotPageCases,
    ...stateCases,
    ...tailCases,
    ...closeCases,
    ...faultCases,
    ...modelCases,
  ]
  for (const name of Object.keys(setup.notMet ?? {})) {
    if (!cases.some((one) => one.name === name)) throw new Error(`notMet names a case that there is not: "${name}".`)
  }
  return cases.map((logCase) => caseFor(setup, logCase))
}

function caseFor(setup: EventLogSetup, { name, clause, needs = [], guarantee, body }: LogCase): ConformanceCase {
  return {
    name,
    clause,
    exception: setup.notMet?.[name] ?? exceptionOf(setup, needs, guarantee),
    async run() {
      const test = new LogTest({ timeoutMs: DEFAULT_TIMEOUT_MS, modelRunCount: DEFAULT_MODEL_RUN_COUNT, ...setup })
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

function exceptionOf(
  { name, guarantees, exceptions = {} }: EventLogSetup,
  needs: NonNullable<LogCase['needs']>,
  guarantee: LogCase['guarantee'],
): string | undefined {
  if (guarantee && !guarantees[guarantee]) return `${name} does not guarantee ${guarantee}`
  return needs.map((feature) => exceptions[feature]).find((reason) => reason !== undefined)
}
