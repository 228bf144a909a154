/**
 * Small state with expiry that all processes of a hub share: tickets, revocations, presence, which node has a
 * connection.
 *
 * Order: calls take effect in call order. Concurrency: any method may be called while others are pending.
 * Expiry: an entry is there for `ttlMs` after its `put` and never longer; the time between two processes, and while
 * nobody has the backend open, goes by the wall clock.
 * Durability: as that of the log of the same backend.
 * Bound: `maxEntries` of the backend, those that have expired not counted. Beyond it `put` of a new key stores nothing
 * and rejects with `full`.
 * Errors: methods reject with `BackendError`: `invalid` for an argument out of its range, `unavailable` when the backend
 * is away, `closed` after `close()`.
 */
export interface Registry {
  /**
   * Stores a value, instead of one that is there. `key`: 1 to 512 bytes of UTF-8. `value`: up to 65,536 bytes of UTF-8.
   * Both are well-formed: a lone surrogate has no UTF-8. `ttlMs`: milliseconds, an integer from 1 to 2^31-1.
   */
  put(key: string, value: string, ttlMs: number): Promise<void>
  /** Takes a value out: of any number of takers, on any node, one gets it. Undefined when there is none. */
  take(key: string): Promise<string | undefined>
  /** Undefined when there is none. */
  get(key: string): Promise<string | undefined>
  /** All entries whose key starts with the prefix (up to 512 bytes of UTF-8), in the order of their keys, UTF-16 unit by unit. */
  list(prefix: string): Promise<ReadonlyMap<string, string>>
  /** May be called twice. */
  close(): Promise<void>
}
