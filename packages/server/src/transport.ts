import type { Payload } from './payload.ts'

/** Who is told what happens to a transport: one session or one subscriber. */
export interface TransportOwner {
  /** The transport has room again: all that was accepted has been handed to the network. */
  onDrain(): void
  /** The transport is gone, whoever ended it. Called exactly once, and last. */
  onClose(): void
}

/** What a stream is carried by. */
export type TransportProtocol = 'http/1.0' | 'http/1.1' | 'h2' | 'fetch' | 'other'

/**
 * Carries the bytes of one stream to one client. The response head is already on its way when the engine gets it.
 *
 * Order: payloads reach the client whole and in the order of `write`.
 * Concurrency: single-threaded; owner methods are never called from within `write`, `end` or `destroy`.
 * Ending: after `end`, `destroy` or a lost connection, `write` does nothing and returns false, and `onClose` is called
 * once; `onDrain` is not any more. `end` and `destroy` may be called again, `destroy` also while the end is waited for.
 * Ownership: the payload is shared with other transports and must not be changed.
 */
export interface Transport {
  /** For metrics and logs. @default 'other' */
  readonly protocol?: TransportProtocol
  /** The network address of whoever is at the other end, a proxy perhaps: for logs. @default unknown */
  readonly peer?: string | undefined
  /** Sets who is told. Called once, before the first write. When the client has already left, `onClose` follows soon. */
  attach(owner: TransportOwner): void
  /**
   * Accepts a payload. False: it was accepted, but write no more until `onDrain`, which then follows exactly once. Who
   * writes nevertheless gets false until then.
   */
  write(payload: Payload): boolean
  /** Bytes accepted and not yet handed to the network, framing included. 0 once it is gone. */
  readonly bufferedBytes: number
  /**
   * Ends the stream after what was accepted, and the connection with it, unless other streams share that (HTTP/2). It
   * waits for as long as the client takes: an owner that does not want to wait destroys.
   */
  end(): void
  /** Ends the connection at once and drops what was not sent. */
  destroy(): void
}
