import type { JoinMessage, Roster } from './tab-message.ts'
import { areEqual, unite } from './topic-filter.ts'

export interface RosterHost {
  /** Asks the server for the topics of all; rejects when it refuses them. */
  ask(topics: readonly string[]): Promise<void>
  /** Whether there is a place from which somebody could follow. */
  canAdmit(): boolean
  /** Tells everybody of the roster. */
  tell(): void
  /** Calls when the tab takes part no more. Returns what stops it. */
  watch(tab: string, onGone: () => void): () => void
}

/**
 * The leader's list of who takes part, and of the topics that its connection asks for because of them.
 *
 * Joins are dealt with one by one, so that topics that a server refuses keep out nobody but who wants them; that tab keeps
 * its own connection, which is told the same. A member is in the roster no sooner than the server sends by its topics.
 */
export class RosterKeeper {
  readonly #host: RosterHost
  readonly #waiting = new Map<string, readonly string[]>()
  readonly #refused = new Set<string>()
  readonly #watches = new Map<string, () => void>()
  /** Who is being asked for, and not in the roster yet. */
  #joining: Roster = {}
  #asked: readonly string[] | undefined
  #isBusy = false
  #isOver = false
  roster: Roster = {}

  constructor(host: RosterHost, roster: Roster, own: string) {
    this.#host = host
    this.roster = roster
    this.#asked = this.topics
    for (const tab of Object.keys(roster)) if (tab !== own) this.#watch(tab)
  }

  get topics(): readonly string[] {
    return unite(Object.values(this.roster))
  }

  /** Somebody else takes part, or is about to. */
  get isShared(): boolean {
    return this.#isBusy || Object.keys(this.roster).length > 1
  }

  admit({ tab, topics }: Pick<JoinMessage, 'tab' | 'topics'>): void {
    if (areEqual(this.roster[tab], topics)) {
      this.#waiting.delete(tab)
      return this.#host.tell()
    }
    this.#waiting.set(tab, topics)
    this.#watch(tab)
    this.work()
  }

  /** Takes in who waits, as soon as that can be. */
  work(): void {
    if (!this.#isBusy && this.#waiting.size > 0 && this.#host.canAdmit()) void this.#work()
  }

  /** The leader itself wants other topics, which its server knows already. */
  setOwn(tab: string, topics: readonly string[]): void {
    this.#replace({ ...this.roster, [tab]: topics })
  }

  close(): void {
    this.#isOver = true
    for (const stop of this.#watches.values()) stop()
  }

  async #work(): Promise<void> {
    this.#isBusy = true
    for (const [tab, topics] of this.#waiting) {
      this.#waiting.delete(tab)
      this.#joining = { [tab]: topics }
      const isTaken = await this.#join(`${tab} ${topics.join()}`)
      if (this.#isOver) return
      this.#joining = {}
      if (isTaken && this.#watches.has(tab)) this.roster = { ...this.roster, [tab]: topics }
      this.#host.tell()
    }
    this.#isBusy = false
  }

  async #join(name: string): Promise<boolean> {
    if (this.#refused.has(name)) return false
    try {
      await this.#ask()
      return true
    } catch {
      this.#refused.add(name)
      return false
    }
  }

  /** Asks for the topics of all, and of the one who is about to join. */
  async #ask(): Promise<void> {
    const topics = unite([this.topics, ...Object.values(this.#joining)])
    if (areEqual(this.#asked, topics)) return
    this.#asked = topics
    try {
      await this.#host.ask(topics)
    } catch (error) {
      // The server sends by older ones; which, is not known here.
      this.#asked = undefined
      throw error
    }
  }

  #watch(tab: string): void {
    if (this.#watches.has(tab)) return
    const stop = this.#host.watch(tab, () => {
      stop()
      this.#watches.delete(tab)
      this.#waiting.delete(tab)
      const { [tab]: gone, ...others } = this.roster
      if (gone) this.#replace(others)
    })
    this.#watches.set(tab, stop)
  }

  #replace(roster: Roster): void {
    this.roster = roster
    this.#ask().catch(() => {})
    this.#host.tell()
  }
}
