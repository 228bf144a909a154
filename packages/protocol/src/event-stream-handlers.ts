/** One event as it came off the wire. */
export interface ParsedEvent {
  /** The event type; `message` when the stream named none. */
  readonly type: string
  /** The payload. Its lines are joined by LF, whatever ended them on the wire. */
  readonly data: string
  /** The last event id in force when the event was dispatched; empty when there is none. */
  readonly lastEventId: string
  /** Millrace's extension field: the topic. Undefined when the event has none. */
  readonly topic: string | undefined
}

/** Who is told what the stream says, in the order of the stream, from within `push`. */
export interface EventStreamHandlers {
  onEvent(event: ParsedEvent): void
  /** The stream set the reconnection time: at once, before its block ends. Milliseconds, a safe integer; a greater one is cut to the greatest. */
  onRetry?(retryMs: number): void
  /** A comment line, without the colon and one space after it. */
  onComment?(text: string): void
  /** A block that sets the last event id has ended, with or without data. Called before the `onEvent` of the block. */
  onId?(lastEventId: string): void
}
