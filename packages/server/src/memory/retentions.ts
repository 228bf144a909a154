import type { LogEntry } from './log-entry.ts'
import { Retention } from './retention.ts'
import type { ResolvedTopicRule } from './topic-rules.ts'

/** What all rules together keep. */
export class Retentions {
  readonly #byRule: readonly { readonly isLog: boolean; readonly retention: Retention }[]

  constructor(rules: readonly ResolvedTopicRule[]) {
    this.#byRule = rules.map(({ kind, retention }) => ({ isLog: kind === 'log', retention: new Retention(retention) }))
  }

  /** Adds an entry, which is newer than all others of its rule. */
  add(ruleIndex: number, entry: LogEntry): void {
    this.#byRule[ruleIndex]?.retention.add(entry)
  }

  /** Takes out all entries that break a limit, oldest first within each rule. */
  takeExcess(nowMs: number, onTaken: (entry: LogEntry) => void): void {
    for (const { retention } of this.#byRule) {
      for (let entry = retention.takeExcess(nowMs); entry; entry = retention.takeExcess(nowMs)) onTaken(entry)
    }
  }

  /** The oldest entry kept of a log topic. */
  get oldestOfLogs(): LogEntry | undefined {
    let oldest: LogEntry | undefined
    for (const { isLog, retention } of this.#byRule) {
      const entry = isLog ? retention.oldest : undefined
      if (entry && (!oldest || entry.seq < oldest.seq)) oldest = entry
    }
    return oldest
  }

  /** When an entry becomes too old next, by the clock that ages go by; undefined for never. */
  get nextExpiryMs(): number | undefined {
    const expiriesMs = this.#byRule.map(({ retention }) => retention.nextExpiryMs).filter((ms) => ms !== undefined)
    return expiriesMs.length === 0 ? undefined : Math.min(...expiriesMs)
  }

  clear(): void {
    for (const { retention } of this.#byRule) retention.clear()
  }
}
