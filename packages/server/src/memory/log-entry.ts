import type { Position } from '@millrace/protocol'
import type { Slot } from './event-list.ts'

/** The place of one event in the log. */
export interface LogEntry extends Slot {
  /** The position of the event appended before it, kept or not. */
  readonly before: Position
  /** UTF-8 bytes of topic, type and data. */
  readonly sizeBytes: number
  /** Of a state topic: `read` leaves it out. */
  readonly isState: boolean
  /**
   * When it was stored, or for a value of a state topic superseded. By {@link Clock.now}: ages must not depend on a clock
   * that steps.
   */
  agesFromMs: number
  /** The entry of the same retention rule that comes after it. */
  next: LogEntry | undefined
}
