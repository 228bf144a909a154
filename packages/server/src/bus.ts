import type { EventContent } from './log.ts'

/** What goes over a bus: plain data that JSON can carry. */
export type BusMessage = {
  /** An ephemeral event: for those who are live now. It has no position and is not kept. */
  readonly kind: 'ephemeral'
  readonly event: EventContent
  /** When it was published: milliseconds since 1970. */
  readonly timeMs: number
}

/** Must neither throw nor reject. */
export type BusListener = (message: BusMessage) => void

/** Stops a listener: it is not called after this was called. May be called twice. */
export type Unsubscribe = () => void

/**
 * Carries between processes what is not retained.
 *
 * Order: messages of one sender reach each listener in the order of `send`. Nothing is said of two senders.
 * Delivery: each message reaches each listener at most once, the sender's own included, and each that was there before
 * `send` was called and still is, unless the backend goes away. Listeners are never called from within `send`.
 * Ownership: a message must not be changed after `send`, and not by listeners.
 * Errors: methods reject with `BackendError`. `unavailable`: the backend is away; the message may be lost. After
 * `close()` every method rejects with `closed`, and no listener is called.
 */
export interface Bus {
  /** Resolves when the message is on its way. */
  send(message: BusMessage): Promise<void>
  /** Resolves when the listener hears what is sent from now on. */
  listen(listener: BusListener): Promise<Unsubscribe>
  /** May be called twice. */
  close(): Promise<void>
}
