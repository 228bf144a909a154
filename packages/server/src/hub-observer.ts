import type { ReconnectReason, SyncReason } from '@millrace/protocol'
import type { LogErrorCode, NewEvent } from './log.ts'
import type { Subscriber } from './subscriber.ts'

/**
 * Why a subscriber counts as behind: too many bytes wait in its transport, or one waits for too long. `total`: too many
 * wait in all transports together, and its bytes have been waiting for longest; it need not be live, and it is cut off.
 */
export type SlowCause = 'bytes' | 'age' | 'total'

export interface ReplayEnd {
  /** What had made it catch up. */
  readonly why: 'start' | 'slow' | 'reset' | 'topics'
  /** Events that it was written on the way. */
  readonly replayed: number
  /** Whether the hot window was enough, or the log had to be asked. */
  readonly source: 'window' | 'log'
  readonly durationMs: number
}

export interface PassEnd {
  /** Events of the log that the pass took its members past. */
  readonly events: number
  /** From the moment at which its end was fixed until the last member was served. Milliseconds. */
  readonly durationMs: number
  /** How long its oldest event had been here when the last member was served. Milliseconds. */
  readonly lagMs: number
}

/**
 * How a poll ended: with events; with none in time; with a `reset`, which events may follow; the client had left; it was
 * refused, because the log is away or the snapshot is too large.
 */
export type PollOutcome = 'events' | 'empty' | 'reset' | 'left' | 'failed'

/**
 * Is told what happens in a hub: for metrics and logs. Methods are called from within the engine's work, in the order in
 * which things happen; they must be brief, must not throw, and must not call the hub.
 */
export interface HubObserver {
  /** A stream was opened. */
  onOpened?(subscriber: Subscriber): void
  /** A stream was refused for a while. */
  onRefused?(reason: ReconnectReason): void
  /** A subscriber does not keep up. It may be ended next; see the hub's `slowPolicy` and `maxPendingBytesTotal`. */
  onSlow?(subscriber: Subscriber, cause: SlowCause): void
  /** A subscriber that was catching up is live. */
  onCaughtUp?(subscriber: Subscriber, replay: ReplayEnd): void
  /** A subscriber was told that events may be missing. */
  onGap?(subscriber: Subscriber, reason: SyncReason): void
  /** A stream is gone; its state says why. */
  onClosed?(subscriber: Subscriber): void
  onPass?(pass: PassEnd): void
  /** A poll was answered, with so many events. Who polls has no stream, and is told of nowhere else. */
  onPolled?(outcome: PollOutcome, events: number): void
  /** Events were stored. Not told: those that repeat one that was stored before (`dedupeKey`). */
  onAppended?(events: readonly NewEvent[], durationMs: number): void
  /** Events could not be stored. `fault`: the log broke its contract. */
  onAppendFailed?(events: readonly NewEvent[], code: LogErrorCode | 'fault'): void
}
