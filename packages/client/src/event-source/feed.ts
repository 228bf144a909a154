import type { AttemptEnd, AttemptHandlers } from '../attempt/read-event-stream.ts'

/**
 * What an `EventSource` hears of its stream, and keeps of it from one connection to the next.
 *
 * It is called in the order of what happens, never before what feeds it has returned, and not any more once that was
 * closed, be it from within a call.
 */
export interface Feed extends AttemptHandlers {
  /** The last event ID string; empty when there is none. */
  readonly lastEventId: string
  /** Milliseconds, 0 to 2^31-1. */
  readonly reconnectionTimeMs: number
  /** The stream is over, for good or until the next attempt, which is made after this call. */
  onEnd(end: AttemptEnd, isFinal: boolean): void
}
