import { memory, type EventLog } from '@millrace/server'
import type { EventLogOptions, EventLogSetup } from '../../src/index.ts'
import { FlakyLog } from './flaky-log.ts'
import { ManualClock } from './manual-clock.ts'

/** What a fault may need to know of the log that it is built into. */
export interface FaultScene {
  readonly clock: ManualClock
}

/** A deliberate fault: it changes what a log is made with, or puts itself between the log and its user. */
export interface LogFault {
  /** What is wrong, as a sentence. */
  readonly name: string
  /** The names of the cases that must find it. */
  readonly breaks: readonly string[]
  options?(options: EventLogOptions): EventLogOptions
  wrap?(log: EventLog, scene: FaultScene): EventLog
}

/** A log with every feature that the suite knows, and one fault or none. */
export function logSetup(fault?: LogFault): EventLogSetup {
  return {
    name: fault ? `a log with a fault: ${fault.name}` : 'a sound log',
    guarantees: { durable: false, shared: false, atomicBatch: true, exactEviction: true },
    async create(options) {
      const clock = new ManualClock()
      const given = fault?.options?.(options) ?? options
      const flaky = new FlakyLog(() => memory({ ...given, clock }).log)
      return {
        log: fault?.wrap?.(flaky, { clock }) ?? flaky,
        advanceClock: (ms) => clock.pass(ms),
        stepWallClock: (ms) => clock.step(ms),
        interrupt: () => flaky.interrupt(),
        resume: () => flaky.resume(),
        beginEpoch: () => flaky.beginEpoch(),
      }
    },
    timeoutMs: fault ? 200 : 5000,
    modelRunCount: fault ? 20 : 3,
  }
}

/** The same log with some methods replaced. */
export function withMethods(log: EventLog, methods: Partial<EventLog>): EventLog {
  return {
    guarantees: log.guarantees,
    append: (events, options) => log.append(events, options),
    read: (query) => log.read(query),
    snapshot: (selectors, options) => log.snapshot(selectors, options),
    tail: (after, listener) => log.tail(after, listener),
    recent: (limits) => log.recent(limits),
    bounds: () => log.bounds(),
    close: () => log.close(),
    ...methods,
  }
}
