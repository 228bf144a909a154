import type { LogEntry } from './log-entry.ts'
import type { RetentionLimits } from './topic-rules.ts'

/** Keeps the entries of one rule within its limits: first in, first out. */
export class Retention {
  readonly #limits: RetentionLimits
  #oldest: LogEntry | undefined
  #newest: LogEntry | undefined
  #count = 0
  #sizeBytes = 0

  constructor(limits: RetentionLimits) {
    this.#limits = limits
  }

  add(entry: LogEntry): void {
    if (this.#newest) this.#newest.next = entry
    else this.#oldest = entry
    this.#newest = entry
    this.#count++
    this.#sizeBytes += entry.sizeBytes
  }

  /** Takes out the oldest entry if a limit is broken. Call until it returns undefined. */
  takeExcess(nowMs: number): LogEntry | undefined {
    const entry = this.#oldest
    if (!entry || !this.#isOver(entry, nowMs)) return undefined
    this.#oldest = entry.next
    if (!this.#oldest) this.#newest = undefined
    // A dead entry that points at live ones would keep the collector from freeing either cheaply.
    entry.next = undefined
    this.#count--
    this.#sizeBytes -= entry.sizeBytes
    return entry
  }

  get oldest(): LogEntry | undefined {
    return this.#oldest
  }

  /** When the oldest entry becomes too old, by the clock that ages go by; undefined for never. */
  get nextExpiryMs(): number | undefined {
    if (!this.#oldest || this.#limits.maxAgeMs === false) return undefined
    return this.#oldest.agesFromMs + this.#limits.maxAgeMs
  }

  clear(): void {
    this.#oldest = undefined
    this.#newest = undefined
    this.#count = 0
    this.#sizeBytes = 0
  }

  #isOver(oldest: LogEntry, nowMs: number): boolean {
    const { maxAgeMs, maxCount, maxBytes } = this.#limits
    if (maxCount !== false && this.#count > maxCount) return true
    if (maxBytes !== false && this.#sizeBytes > maxBytes) return true
    return maxAgeMs !== false && nowMs - oldest.agesFromMs > maxAgeMs
  }
}
