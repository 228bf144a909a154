import { BackendError } from './backend-error.ts'
import { LogError } from './log.ts'

/** What goes on with the backend when it fails: what {@link LogFaults} tells of, and takes for mended when it succeeds. */
export type LogWork = 'following the event log' | 'reading the event log' | 'storing events' | 'sending over the bus'

/** So many different ailments are told of before one is mended. */
const MAX_TOLD = 100

/**
 * Tells of what ails the backend, each ailment once until it is mended: while a log is away, calls fail by the thousand.
 * Faults that are not the backend's own, or are a caller's, are told of by others.
 */
export class LogFaults {
  readonly #onError: (error: unknown, context: string) => void
  /** By what was told: at what it was found. */
  readonly #told = new Map<string, LogWork>()

  constructor(onError: (error: unknown, context: string) => void) {
    this.#onError = onError
  }

  note(error: unknown, work: LogWork): void {
    const isOfBackend = error instanceof LogError || error instanceof BackendError
    if (!isOfBackend || error.code !== 'unavailable') return
    if (this.#told.has(error.message) || this.#told.size >= MAX_TOLD) return
    this.#told.set(error.message, work)
    this.#onError(error, work)
  }

  /** This has gone well again: the next fault is a new one. */
  mended(work: LogWork): void {
    if (this.#told.size === 0) return
    for (const [message, at] of this.#told) if (at === work) this.#told.delete(message)
  }
}
