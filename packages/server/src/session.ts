import { resolveHubLimits, type HubLimits } from './hub-options.ts'

/** What {@link Session.send} writes. */
export interface SessionEvent {
  /** A string goes as it is, any other value as JSON. */
  readonly data: unknown
  /** The SSE event type. Left out, clients take `message`. */
  readonly type?: string
  /**
   * What the client sends back as `Last-Event-ID` when it returns. Left out, events are numbered: from 1, or on from
   * the number that the client came back with. Such a number only counts: it is no position that anything is resumed
   * from, unless the one who sends makes it so.
   */
  readonly id?: string
  /** Millrace's extension field, for clients that follow several topics. */
  readonly topic?: string
  /** Sets the client's reconnection time. Milliseconds, an integer from 0 to 2^31-1. */
  readonly retryMs?: number
}

/**
 * How a session ended.
 * - `left`: the client went away, or the connection did.
 * - `closed`: by `close`.
 * - `slow`: more than twice `maxBufferBytes` waited, although `send` had answered false.
 * - `stale`: the client took no byte for `staleMs` while some waited.
 */
export type SessionEnd = 'left' | 'closed' | 'slow' | 'stale'

/** The limits and times of a session; meaning, range and default are the hub's. */
export type SessionLimits = Pick<HubLimits, 'heartbeatMs' | 'retryMs' | 'maxBufferBytes' | 'staleMs'>

/**
 * One response that carries a stream. It knows nothing of topics, logs or other sessions.
 *
 * Order: what is sent arrives whole and in order, or the connection ends.
 * Ending: after `close`, or when the client has left, `send` and `comment` do nothing and return false. A browser's
 * `EventSource` comes back after any end; only an answer with status 204 stops it.
 */
export interface Session {
  /** The id that the client came back with: hostile input. Undefined when it came without. */
  readonly lastEventId: string | undefined
  /** False once the session ends. */
  readonly isOpen: boolean
  /** Bytes that wait for the network. */
  readonly bufferedBytes: number
  /** Resolves when the connection is gone. Never rejects. */
  readonly closed: Promise<SessionEnd>
  /**
   * Sends an event. False: more than `maxBufferBytes` wait, so wait for `drained`, or drop what can be dropped. Who
   * sends on regardless past twice that much loses the session, with the reason `slow`; one event may exceed it.
   *
   * @throws HubError `invalid_event` when the data cannot be JSON or the type may not be used
   * @throws ProtocolError `invalid_field` when a field has what would break the stream
   */
  send(event: SessionEvent): boolean
  /** Sends a comment, which clients ignore. Returns as `send` does. */
  comment(text: string): boolean
  /**
   * Resolves at once while there is room for more; else when what waits has been handed to the network, or the session
   * has ended. @throws the signal's reason when aborted
   */
  drained(signal?: AbortSignal): Promise<void>
  /** Ends the stream after what was sent, and the connection with it; at once when the client does not take it within 5 s. */
  close(): void
}

/** Checks the limits and fills in the hub's defaults. @throws HubError `invalid_option` */
export function resolveSessionLimits(given: Partial<SessionLimits>): SessionLimits {
  // The least `maxUnsentMs`, of which sessions know nothing, contradicts no `staleMs`.
  const { heartbeatMs, retryMs, maxBufferBytes, staleMs } = resolveHubLimits({ ...given, maxUnsentMs: 100 })
  return Object.freeze({ heartbeatMs, retryMs, maxBufferBytes, staleMs })
}
