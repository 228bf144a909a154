import type { Position } from '@millrace/protocol'
import type { Clock } from './clock.ts'
import type { HubObserver } from './hub-observer.ts'
import { LogError, type AppendOptions, type EventLog, type NewEvent } from './log.ts'
import type { LogFaults } from './log-faults.ts'

/** What appends to a log are told of and timed by. */
export interface AppendHost {
  readonly clock: Clock
  readonly log: EventLog
  readonly observer: HubObserver
  readonly faults: LogFaults
}

/** Appends to the log, and tells the observer what was stored, what was not, and the operator why not. */
export class ObservedAppends {
  readonly #host: AppendHost
  /** The newest event that was appended here. */
  #newest: Position | undefined

  constructor(host: AppendHost) {
    this.#host = host
  }

  /** @param seen the newest event of the log that is known here, also of others' */
  async append(
    events: readonly NewEvent[],
    options: AppendOptions | undefined,
    seen: Position,
  ): Promise<readonly Position[]> {
    const { clock, log, observer, faults } = this.#host
    const startedAtMs = clock.now()
    try {
      const positions = await log.append(events, options)
      const stored = this.#storedOf(events, positions, seen)
      if (stored.length > 0) observer.onAppended?.(stored, clock.now() - startedAtMs)
      return positions
    } catch (error) {
      faults.note(error, 'storing events')
      observer.onAppendFailed?.(events, error instanceof LogError ? error.code : 'fault')
      throw error
    }
  }

  /** A repetition has the position of the first one: no later than what had been appended, or seen, before. */
  #storedOf(events: readonly NewEvent[], positions: readonly Position[], seen: Position): readonly NewEvent[] {
    return events.filter((_, i) => {
      const position = positions[i]
      if (!position || isUpTo(position, seen) || isUpTo(position, this.#newest)) return false
      this.#newest = position
      return true
    })
  }
}

function isUpTo({ epoch, seq }: Position, other: Position | undefined): boolean {
  return epoch === other?.epoch && seq <= other.seq
}
