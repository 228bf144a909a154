import type { Bus } from '@millrace/server'

/** A bus under test. */
export interface BusHandle {
  readonly bus: Bus
  /** The same bus as another process has it. Left out: only one process can have it. */
  readonly peer?: Bus
  /** Releases what belongs to the handle besides the buses. */
  close?(): Promise<void>
}

/** An implementation of `Bus`, presented to the suite. */
export interface BusSetup {
  /** Used in messages, such as `memory`. */
  readonly name: string
  /** Makes a bus that shares nothing with any other. The suite closes it. */
  create(): Promise<BusHandle>
  /** How long a case waits for something that must happen. Milliseconds, 1 or more. @default 5000 */
  readonly timeoutMs?: number
}

/** A case before it knows the bus that it is for. */
export interface BusCase {
  readonly name: string
  readonly clause: string
  body(handle: BusHandle): Promise<void>
}
