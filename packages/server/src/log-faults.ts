import { BackendError } from './backend-error.ts'
import type { Clock } from './clock.ts'
import { LogError } from './log.ts'

/** The same ailment is told of again after so long. Milliseconds. */
const QUIET_MS = 60_000
/** So many ailments are told apart; beyond it all wait until the oldest may be told again. */
const MAX_TOLD = 100

/**
 * Tells of what ails the backend, each ailment once a minute: while a log is away, calls fail by the thousand. Faults that are
 * not the backend's own, or are a caller's, are told of by others.
 */
export class LogFaults {
  readonly #clock: Clock
  readonly #onError: (error: unknown, context: string) => void
  /** When each was told of, the oldest first. */
  readonly #toldAtMs = new Map<string, number>()

  constructor(clock: Clock, onError: (error: unknown, context: string) => void) {
    this.#clock = clock
    this.#onError = onError
  }

  note(error: unknown, context: string): void {
    const isOfBackend = error instanceof LogError || error instanceof BackendError
    if (!isOfBackend || error.code !== 'unavailable') return
    const nowMs = this.#clock.now()
    for (const [message, atMs] of this.#toldAtMs) {
      if (nowMs - atMs < QUIET_MS) break
      this.#toldAtMs.delete(message)
    }
    if (this.#toldAtMs.has(error.message) || this.#toldAtMs.size >= MAX_TOLD) return
    this.#toldAtMs.set(error.message, nowMs)
    this.#onError(error, context)
  }
}
