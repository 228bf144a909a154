import type { Registry } from '@millrace/server'

/** How the registry of a case is to be made. */
export interface RegistryOptions {
  /** Left out: more than the few entries of a case. */
  readonly maxEntries?: number
}

/** A registry under test, empty at first, and what makes things happen to it. */
export interface RegistryHandle {
  readonly registry: Registry
  /** The same registry as another process has it. Left out: only one process can have it. */
  readonly peer?: Registry
  /** Moves all of its clocks on. Milliseconds, above 0. */
  advanceClock?(ms: number): void | Promise<void>
  /** Takes the backend away until `resume`. */
  interrupt?(): void | Promise<void>
  resume?(): void | Promise<void>
  /** Releases what belongs to the handle besides the registries. */
  close?(): Promise<void>
}

/** What not every registry has, or lets a test do. */
export type RegistryFeature = 'advanceClock' | 'maxEntries' | 'interruption'

/** An implementation of `Registry`, presented to the suite. */
export interface RegistrySetup {
  /** Used in messages, such as `memory`. */
  readonly name: string
  /** Makes an empty registry that shares nothing with any other. The suite closes it. */
  create(options: RegistryOptions): Promise<RegistryHandle>
  /** Features that its registries do not have, each with the reason; their cases become exceptions. @default none */
  readonly exceptions?: Partial<Readonly<Record<RegistryFeature, string>>>
  /** How long a case waits for something that must happen. Milliseconds, 1 or more. @default 5000 */
  readonly timeoutMs?: number
}

/** A case before it knows the registry that it is for. */
export interface RegistryCase {
  readonly name: string
  readonly clause: string
  readonly needs?: readonly RegistryFeature[]
  readonly options?: RegistryOptions
  body(handle: RegistryHandle): Promise<void>
}
