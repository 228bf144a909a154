// Over 300 lines: the three roles of a tab (`tab-message.ts`) and every step from one to another.
import { closedError } from '../stream/attempt-outcome.ts'
import type { EventFeed, FeedDiagnostics, FeedEvent, FeedSink, FeedStatus } from '../stream/event-feed.ts'
import type { FeedSettings } from '../stream/feed-settings.ts'
import { readSaid } from '../stream/control-data.ts'
import { isFinal } from '../stream/stream-status.ts'
import { CatchUpBuffer } from './catch-up-buffer.ts'
import { idOrder } from './id-order.ts'
import { OwnConnection, type FeedMaker } from './own-connection.ts'
import { plainStatus, revivedStatus } from './plain-status.ts'
import { RosterKeeper } from './roster-keeper.ts'
import type { EntryMessage, Roster, StateMessage, TabEntry, TabMessage } from './tab-message.ts'
import type { TabChannel, Tabs } from './tabs.ts'
import { areEqual, isAskedFor } from './topic-filter.ts'

/** How long a tab that starts waits for a leader, or to be one, before it opens a connection of its own. Milliseconds. */
const START_MS = 300
/** How often a tab looks whether the leader was silent. Milliseconds. */
const LOOK_MS = 3_000
/** Looks in silence: after two the leader is asked, and after one more its lock is stolen. */
const ASK_AT = 2
/** A timer that fires later than this was held up, and so may be the leader's answer. Milliseconds. */
const LATE_MS = 1_000
/** How long a leader may be unable to take more before another tab leads, so that the others need not wait. Milliseconds. */
const HELD_UP_MS = 2_000

/** The feed of one tab that shares a connection with others: see `tab-message.ts` for how. */
export class SharedFeed implements EventFeed {
  readonly #settings: FeedSettings
  readonly #sink: FeedSink
  readonly #own: OwnConnection
  readonly #tabs: Tabs
  readonly #key: string
  readonly #tab: string
  readonly #buffer = new CatchUpBuffer()
  readonly #endedTopics = new Set<string>()
  /** What this tab is sent, and what it has asked for. */
  #topics: readonly string[]
  #wanted: readonly string[]
  #isHeldUp = false
  #isFollowing = false
  #keeper: RosterKeeper | undefined
  #term = 0
  #count = 0
  #roster: Roster = {}
  #status: FeedStatus = { name: 'connecting', attempt: 1 }
  #leaderStatus: FeedStatus = this.#status
  #shown = ''
  #silentLooks = 0
  #changes = 0
  readonly #onConnected: { resolve: () => void; reject: (error: Error) => void }[] = []
  #isAway = true
  #isSolo = false
  #isOver = false
  #channel: TabChannel | undefined
  #releaseLead: (() => void) | undefined
  #cancelLook: (() => void) | undefined
  #cancelHeldUp: (() => void) | undefined
  /** What ends taking part, but for the above. */
  #endings: (() => void)[] = []
  #endSuspend: (() => void) | undefined

  constructor(settings: FeedSettings, sink: FeedSink, makeFeed: FeedMaker, tabs: Tabs, key: string) {
    this.#settings = settings
    this.#sink = sink
    this.#tabs = tabs
    this.#key = key
    this.#tab = settings.fraction().toString(36).slice(2)
    this.#topics = this.#wanted = settings.topics
    this.#own = new OwnConnection(settings, sink, makeFeed, {
      pass: (entry) => this.#pass(entry),
      rest: () => this.#rest(),
      ready: () => this.#ready(),
      status: (status) => this.#hearStatus(status),
    })
  }

  open(): void {
    this.#endSuspend = this.#tabs.onSuspend(
      () => {
        if (!this.#isSolo) this.#leave()
      },
      () => {
        if (this.#isAway && !this.#isOver && !this.#isSolo) this.#enter()
      },
    )
    this.#enter()
  }

  async setTopics(topics: readonly string[], from?: 'now' | 'snapshot'): Promise<void> {
    if (this.#isOver) throw closedError()
    // What nobody has listened to may be open again.
    for (const topic of this.#endedTopics) if (!this.#wanted.includes(topic)) this.#endedTopics.delete(topic)
    this.#wanted = topics
    const isLess = topics.length > 0 && topics.every((topic) => this.#topics.includes(topic))
    if (isLess && (this.#isFollowing || this.#keeper)) return this.#want(topics)
    // Those who ask for all that they are allowed share with nobody else.
    if (topics.length === 0 || this.#topics.length === 0) this.#goSolo()
    // What comes first of new topics is this tab's affair, and so is a refusal.
    else if (this.#isFollowing) this.#detach(true)
    else if (this.#keeper?.isShared) this.#stepDown()
    this.#changes++
    try {
      if (!this.#own.isConnected)
        await new Promise<void>((resolve, reject) => this.#onConnected.push({ resolve, reject }))
      await this.#own.feed.setTopics(topics, from)
      this.#want(topics)
    } catch (error) {
      if (this.#wanted === topics) this.#wanted = this.#topics
      throw error
    } finally {
      this.#changes--
      this.#merge()
      this.#keeper?.work()
    }
  }

  wake(): void {
    if (this.#own.isRunning) this.#own.feed.wake()
    else this.#join(true)
  }

  close(): void {
    this.#finish({ name: 'closed' })
  }

  diagnostics(): FeedDiagnostics {
    const own = this.#own.feed.diagnostics()
    const sharing = this.#keeper ? 'leading' : this.#isFollowing ? 'following' : 'alone'
    return { ...own, connection: this.#own.isRunning ? own.connection : undefined, topics: this.#wanted, sharing }
  }

  #enter(): void {
    const { clock } = this.#settings
    const tabs = this.#tabs
    this.#isAway = false
    this.#channel = tabs.channel(this.#key, (message) => this.#receive(message))
    this.#endings = [
      tabs.lock(
        this.#lockOf(this.#tab),
        false,
        () => this.#join(false),
        () => {},
      ),
      clock.after(START_MS, () => {
        if (!this.#own.isRunning && !this.#isFollowing) this.#run()
      }),
    ]
    this.#requestLead(false)
    this.#look()
  }

  /** Takes part no more; the last id stays. */
  #leave(): void {
    this.#isAway = true
    this.#own.stop()
    this.#stopLeading()
    this.#isFollowing = this.#own.isWhole = false
    this.#buffer.begin(undefined)
    this.#cancelLook?.()
    this.#cancelHeldUp?.()
    this.#releaseLead?.()
    for (const end of this.#endings.splice(0)) end()
    this.#channel?.close()
    this.#channel = undefined
  }

  #finish(status: FeedStatus): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#leave()
    this.#endSuspend?.()
    for (const { reject } of this.#onConnected.splice(0)) reject(closedError())
    this.#sink.status(status)
  }

  /** Sharing is not for this server, or not for this stream. */
  #goSolo(): void {
    if (this.#isSolo) return
    const isKept = this.#own.isRunning && !this.#own.isMixed
    const isConnected = this.#own.isConnected
    if (isKept) this.#own.isRunning = false
    this.#leave()
    this.#isSolo = true
    if (!isKept) return this.#run()
    this.#own.isRunning = true
    this.#own.isConnected = isConnected
  }

  #receive(message: TabMessage): void {
    if (this.#isAway) return
    if (message.kind === 'join') {
      if (!this.#keeper) return
      if (message.isWake) this.#own.feed.wake()
      return this.#keeper.admit(message)
    }
    // From a leader that has not noticed yet that it is none.
    if (message.term < this.#term) return
    const isNew = message.term > this.#term
    if (isNew) this.#stepDown()
    this.#term = message.term
    this.#silentLooks = 0
    if (message.kind === 'state') this.#hearState(message, isNew)
    else this.#hearEntry(message, isNew)
  }

  #hearState({ count, at, roster, status }: StateMessage, isNew: boolean): void {
    const isLost = isNew || count !== this.#count
    this.#count = count
    this.#roster = roster
    this.#leaderStatus = revivedStatus(status)
    const covered = roster[this.#tab]
    if (!covered || this.#topics.some((topic) => !covered.includes(topic))) {
      if (this.#isFollowing) this.#detach(true)
      this.#buffer.begin(undefined)
      if (isNew) this.#join(false)
      return
    }
    if (this.#isFollowing) {
      // A new leader may start from where this tab has been already.
      if (isLost && !(isNew && idOrder(this.#sink.resumeId(), at) >= 0)) {
        this.#buffer.begin(at)
        return this.#detach(false)
      }
      return this.#show(this.#leaderStatus)
    }
    if (isLost && !this.#own.isConnected) this.#own.isWhole = false
    const isBegun = !isLost && this.#buffer.start !== undefined
    if (!isBegun) this.#buffer.begin(at)
    if (!this.#own.isRunning) this.#run()
    this.#merge()
    // A poll that waits would not hear for long that it has got there: its topics, asked for anew, are answered at once.
    const { feed, isPolling } = this.#own
    if (!isBegun && !this.#isFollowing && isPolling) feed.setTopics([...feed.diagnostics().topics]).catch(() => {})
  }

  #hearEntry(entry: EntryMessage, isNew: boolean): void {
    const isLost = isNew || entry.count !== this.#count + 1
    this.#count = entry.count
    if (isNew) {
      this.#buffer.begin(undefined)
      if (this.#isFollowing) this.#detach(false)
      return this.#join(false)
    }
    if (isLost) {
      if (this.#isFollowing || this.#buffer.start !== undefined) this.#buffer.begin(entry.id)
      if (this.#isFollowing) this.#detach(false)
      return
    }
    if (!this.#isFollowing) {
      // What is lost of the buffer is made good by the connection, if it is there.
      if (!this.#buffer.push(entry) && !this.#own.isConnected) this.#own.isWhole = false
      return this.#merge()
    }
    if (this.#sink.ready()) {
      this.#buffer.begin(this.#sink.resumeId())
      this.#buffer.push(entry)
      return this.#detach(true)
    }
    this.#take(entry)
  }

  /** Goes on by a connection of its own. @param isWhole whether nothing was missed up to the last id */
  #detach(isWhole: boolean): void {
    this.#isFollowing = false
    this.#run()
    this.#own.isWhole = isWhole
  }

  /** Follows from here on, if there is nothing between what this tab has and what the leader has told. */
  #merge(): void {
    const { resumeId } = this.#sink
    if (this.#isAway || this.#keeper || this.#isFollowing || this.#isHeldUp || this.#changes > 0) return
    if (!this.#own.isWhole || !this.#buffer.isReached(resumeId())) return
    this.#own.stop()
    this.#isFollowing = true
    this.#show(this.#leaderStatus)
    for (const entry of this.#buffer.take()) {
      if (this.#isFollowing) this.#take(entry)
    }
  }

  /** Takes what the leader tells, unless this tab has it already. */
  #take(entry: TabEntry): void {
    const order = idOrder(entry.id, this.#sink.resumeId())
    if (!entry.missed && (entry.isOwn ? order <= 0 : order < 0)) return
    if (isForNobody(entry) && this.#hasOthers(this.#roster)) return this.#goSolo()
    this.#hand(entry, true)
  }

  #hasOthers(roster: Roster): boolean {
    return Object.values(roster).some((topics) => !areEqual(topics, this.#topics))
  }

  #hand({ id, isOwn, event, missed }: TabEntry, isFiltered: boolean): void {
    const sink = this.#sink
    if (missed) return sink.missed(missed, isOwn ? id : undefined)
    if (!event || (isFiltered && !this.#isWanted(event))) {
      if (isOwn) sink.moved(id)
      return
    }
    const endedTopic = endedTopicOf(event)
    if (endedTopic === undefined) this.#endedTopics.delete(event.topic)
    else this.#endedTopics.add(endedTopic)
    sink.event(isOwn ? event : { ...event, id: sink.resumeId() })
    // The server ends the stream only when the topics of all have ended.
    if (!isFiltered || endedTopic === undefined || this.#topics.length === 0) return
    if (this.#topics.every((topic) => this.#endedTopics.has(topic))) this.#finish({ name: 'ended' })
  }

  #isWanted(event: FeedEvent): boolean {
    const topic = endedTopicOf(event) ?? event.topic
    return topic === '' ? event.type !== 'stream:topics' : isAskedFor(topic, this.#topics)
  }

  #want(topics: readonly string[]): void {
    this.#topics = topics
    if (this.#keeper) this.#keeper.setOwn(this.#tab, topics)
    else this.#join(false)
  }

  #join(isWake: boolean): void {
    if (!this.#keeper) this.#channel?.post({ kind: 'join', tab: this.#tab, topics: this.#topics, isWake })
  }

  #look(): void {
    const { clock, fraction } = this.#settings
    const delayMs = LOOK_MS * (1 + fraction() / 4)
    const dueMs = clock.now() + delayMs
    this.#cancelLook?.()
    this.#cancelLook = clock.after(delayMs, () => {
      if (this.#keeper) return
      const isLate = clock.now() - dueMs > LATE_MS
      this.#silentLooks = isLate ? Math.min(this.#silentLooks + 1, ASK_AT) : this.#silentLooks + 1
      if (this.#silentLooks > ASK_AT) this.#requestLead(true)
      else if (this.#silentLooks === ASK_AT || (!this.#isFollowing && this.#buffer.start === undefined))
        this.#join(false)
      this.#look()
    })
  }

  #requestLead(isSteal: boolean): void {
    this.#silentLooks = 0
    this.#releaseLead?.()
    this.#releaseLead = this.#tabs.lock(
      this.#key,
      isSteal,
      () => this.#lead(),
      () => (this.#keeper ? this.#stepDown() : this.#requestLead(false)),
    )
  }

  #lead(): void {
    const { time, fraction } = this.#settings
    const others = this.#isFollowing ? this.#roster : {}
    this.#isFollowing = false
    this.#buffer.begin(undefined)
    this.#cancelLook?.()
    this.#term = Math.max(this.#term + 1, time()) + fraction()
    this.#count = 0
    const host = {
      ask: (topics: readonly string[]): Promise<void> => {
        this.#own.isMixed = true
        return this.#own.feed.setTopics(topics)
      },
      canAdmit: (): boolean => {
        const id = this.#sink.resumeId()
        return idOrder(id, id) === 0 && !this.#isHeldUp && this.#changes === 0
      },
      tell: () => this.#tell(),
      watch: (tab: string, onGone: () => void) => this.#tabs.lock(this.#lockOf(tab), false, onGone, () => {}),
    }
    this.#keeper = new RosterKeeper(host, { ...others, [this.#tab]: this.#topics }, this.#tab)
    if (!this.#own.isRunning) this.#run(this.#keeper.topics)
    this.#tell()
  }

  #stopLeading(): boolean {
    const keeper = this.#keeper
    keeper?.close()
    this.#keeper = undefined
    return keeper !== undefined
  }

  /** Leads no more; its connection goes on as its own, until it follows. */
  #stepDown(): void {
    if (!this.#stopLeading()) return
    this.#buffer.begin(undefined)
    this.#requestLead(false)
    this.#look()
    if (this.#own.isMixed) this.#own.feed.setTopics(this.#topics).catch(() => {})
  }

  #tell(): void {
    const keeper = this.#keeper
    if (!keeper) return
    this.#channel?.post({
      kind: 'state',
      term: this.#term,
      count: this.#count,
      at: this.#sink.resumeId(),
      roster: keeper.roster,
      status: plainStatus(this.#status),
    })
  }

  #lockOf(tab: string): string {
    return `${this.#key}:${tab}`
  }

  #run(topics: readonly string[] = this.#topics): void {
    this.#own.run(topics, this.#topics)
  }

  #rest(): void {
    if (this.#own.isConnected) for (const { resolve } of this.#onConnected.splice(0)) resolve()
    this.#merge()
  }

  #pass(entry: TabEntry): void {
    const keeper = this.#keeper
    if (keeper?.isShared || this.#own.isMixed) {
      if (isForNobody(entry) && this.#own.isMixed) return this.#goSolo()
      if (keeper?.isShared) {
        this.#channel?.post({ kind: 'entry', term: this.#term, count: ++this.#count, ...entry })
      }
      this.#hand(entry, true)
    } else this.#hand(entry, false)
    keeper?.work()
  }

  #ready(): Promise<void> | undefined {
    const wait = this.#sink.ready()
    if (!wait) return undefined
    this.#isHeldUp = true
    this.#cancelHeldUp?.()
    this.#cancelHeldUp = this.#settings.clock.after(HELD_UP_MS, () => {
      if (this.#keeper?.isShared) this.#stepDown()
    })
    return wait.then(() => {
      this.#cancelHeldUp?.()
      this.#isHeldUp = false
      this.#merge()
      this.#keeper?.work()
    })
  }

  #hearStatus(status: FeedStatus): void {
    if (status.name === 'failed' && this.#own.isMixed) {
      // Perhaps because of somebody else's topics: this tab asks for its own.
      this.#own.isRunning = false
      this.#stepDown()
      return this.#run()
    }
    if (isFinal(status)) return this.#finish(status)
    this.#status = status
    this.#show(status)
    this.#tell()
  }

  /** Nobody is told the same twice. */
  #show(status: FeedStatus): void {
    const text = JSON.stringify(status)
    if (text !== this.#shown) this.#sink.status(status)
    this.#shown = text
  }
}

/** An event that names no topic: nobody knows whose it is. */
function isForNobody({ event }: TabEntry): boolean {
  return event?.topic === '' && !event.type.startsWith('stream:')
}

/** The topic that an event says is finished. */
function endedTopicOf({ type, data }: FeedEvent): string | undefined {
  if (type !== 'stream:end') return undefined
  const { topic } = readSaid(data)
  return String(topic)
}
