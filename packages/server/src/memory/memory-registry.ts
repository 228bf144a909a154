// oxlint-disable typescript/require-await -- the contract is asynchronous: `async` turns what is thrown into a rejection
import { BackendError } from '../backend-error.ts'
import type { Clock } from '../clock.ts'
import type { Registry } from '../registry.ts'
import { ExpiryQueue, type Expiring } from './expiry-queue.ts'
import { assertEntry, assertKey, assertPrefix } from './registry-arguments.ts'

interface Entry extends Expiring {
  readonly key: string
  readonly value: string
}

/** The registry of a single process. What has expired is dropped by the next call; until then it takes up its memory. */
export class MemoryRegistry implements Registry {
  readonly #maxEntries: number
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  readonly #expiries = new ExpiryQueue<Entry>()
  #isClosed = false

  /** @param maxEntries at least 1 */
  constructor(maxEntries: number, clock: Clock) {
    this.#maxEntries = maxEntries
    this.#clock = clock
  }

  async put(key: string, value: string, ttlMs: number): Promise<void> {
    this.#begin()
    assertEntry(key, value, ttlMs)
    const previous = this.#entries.get(key)
    if (previous) this.#expiries.remove(previous)
    else if (this.#entries.size >= this.#maxEntries) {
      const mend = 'let some expire, or raise it'
      throw new BackendError('full', `The registry has ${this.#maxEntries} entries, its maxEntries: ${mend}.`)
    }
    const entry: Entry = { key, value, expiresAtMs: this.#clock.now() + ttlMs, place: 0 }
    this.#entries.set(key, entry)
    this.#expiries.add(entry)
  }

  async take(key: string): Promise<string | undefined> {
    this.#begin()
    assertKey(key)
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    this.#remove(entry)
    return entry.value
  }

  async get(key: string): Promise<string | undefined> {
    this.#begin()
    assertKey(key)
    return this.#entries.get(key)?.value
  }

  async list(prefix: string): Promise<ReadonlyMap<string, string>> {
    this.#begin()
    assertPrefix(prefix)
    const keys = [...this.#entries.keys()].filter((key) => key.startsWith(prefix)).sort()
    return new Map(keys.map((key) => [key, this.#entries.get(key)?.value ?? '']))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#entries.clear()
    this.#expiries.clear()
  }

  /** Drops what has expired: an entry is there for its time, and never longer. */
  #begin(): void {
    if (this.#isClosed) throw new BackendError('closed', 'The registry was closed.')
    const nowMs = this.#clock.now()
    for (let { first } = this.#expiries; first && first.expiresAtMs <= nowMs; { first } = this.#expiries)
      this.#remove(first)
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key)
    this.#expiries.remove(entry)
  }
}
