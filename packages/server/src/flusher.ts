// More than 300 lines: when a pass begins, what it freezes, whom it serves and how it ends is one thing, and hot.
import type { Position } from '@millrace/protocol'
import type { Audience } from './audience.ts'
import type { AudienceIndex } from './audience-index.ts'
import type { Clock } from './clock.ts'
import { EphemeralQueue } from './ephemeral-queue.ts'
import { Frame, type FrameEvent, type WireFrame } from './frame.ts'
import type { HotWindow } from './hot-window.ts'
import type { HubObserver } from './hub-observer.ts'
import type { HubLimits } from './hub-options.ts'
import type { StoredEvent } from './log.ts'
import { owe } from './owe.ts'
import type { PendingBytes } from './pending-bytes.ts'
import type { Standing } from './standing.ts'
import type { StatePlan } from './state-values.ts'
import type { Subscriber } from './subscriber.ts'
import type { TopicKinds } from './topic-kinds.ts'

/** How long one slice of a pass may take before I/O has its turn, and how many members are served between two looks. */
const SLICE_MS = 5
const MEMBERS_PER_LOOK = 16
/** The most that a pass takes from the window: more would only make it longer before I/O has its turn. */
const MAX_FRAMES = 4_096

export interface FlusherHost {
  readonly clock: Clock
  readonly limits: HubLimits
  readonly window: HotWindow
  readonly index: AudienceIndex
  readonly observer: HubObserver
  readonly kinds: TopicKinds
  readonly standing: Standing
  readonly pending: PendingBytes
  /** More waits in transports than is allowed, perhaps: makes room. */
  relieve(): void
  /** Whether somebody inside the process waits for what comes. */
  readonly hasReaders: boolean
  /** A pass was frozen, with these ephemeral events. */
  onAdvance(ephemeral: readonly WireFrame[]): void
  /** The window was reset: what was read before may be of another history. */
  onReset(): void
}

/** A pass under way: its end and what it owes were frozen when it began; who joins later is served by the next one. */
interface Pass {
  /** The end of the pass before: where members stand that this one has not served yet. */
  readonly previousEnd: Position
  readonly audiences: readonly Audience[]
  readonly oldestArrivalMs: number
  readonly frozenAtMs: number
  /** `seq` of the oldest value that leaves late in this pass; Infinity when none does. */
  readonly oldestLateSeq: number
  audience: number
  slot: number
}

/**
 * Takes what the tail brings into the hot window and writes it to live subscribers, in passes: one write for each
 * member and pass. The first events after a pause leave in the same turn; what follows within `flushIntervalMs` of a
 * pass leaves together with the next.
 */
export class Flusher {
  readonly #host: FlusherHost
  #end: Position
  #passes = 0
  /** How many frames the next pass tries to take: fewer after one that was too much for somebody's buffer. */
  #maxFrames = MAX_FRAMES
  /** The same for what is not owed by the log: values that are late, and ephemeral events. */
  #maxExtras = MAX_FRAMES
  /** Whether the newest pass left something to the next one. */
  #isCut = false
  #pass: Pass | undefined
  #lastPassMs = Number.NEGATIVE_INFINITY
  #cancelTimer: (() => void) | undefined
  /** When the next pass is to begin; undefined while none is planned. */
  #scheduledForMs: number | undefined
  readonly ephemeral: EphemeralQueue = new EphemeralQueue()
  #isClosed = false
  #onRoom: (() => void)[] = []

  constructor(host: FlusherHost) {
    this.#host = host
    this.#end = host.window.end
  }

  /** Where the newest pass ends: what every live member has, or is being sent. */
  get end(): Position {
    return this.#end
  }

  /** The newest event that the tail has brought. */
  get newest(): Position {
    return this.#host.window.end
  }

  /** The number of the pass that a subscriber who joins now is served by first. */
  get nextPass(): number {
    return this.#passes + 1
  }

  get passes(): number {
    return this.#passes
  }

  /** For how long the oldest event that is not written to everybody has been here, in milliseconds. */
  get lagMs(): number {
    const waiting = this.#host.window.frameAt(this.#end.seq + 1)?.arrivedAtMs
    const oldest = this.#pass?.oldestArrivalMs ?? waiting
    return oldest === undefined ? 0 : this.#host.clock.now() - oldest
  }

  /** Where a live member stands: a pass under way may not have come to it yet. */
  positionOf(member: Subscriber): Position {
    return this.#passOwedTo(member)?.previousEnd ?? this.#end
  }

  /** The place after which a live member may lack values of state topics: some wait until their key may be sent. */
  valuesAfter(member: Subscriber): Position {
    const position = this.positionOf(member)
    const lateSeq = this.#passOwedTo(member)?.oldestLateSeq ?? Infinity
    const oldestSeq = Math.min(this.#host.standing.values.oldestHeldSeq, lateSeq)
    return oldestSeq > position.seq ? position : { ...position, seq: oldestSeq - 1 }
  }

  #passOwedTo(member: Subscriber): Pass | undefined {
    const pass = this.#pass
    const isOwed =
      pass && member.audience.owed && member.joinedPass <= this.#passes && member.servedPass !== this.#passes
    return isOwed ? pass : undefined
  }

  /** Takes an event that is not of the log: the next pass sends it to who is live then. */
  acceptEphemeral(event: FrameEvent): void {
    if (this.#isClosed || (this.#host.index.size === 0 && !this.#host.hasReaders)) return
    this.ephemeral.push(event)
    this.#schedule()
  }

  /** Nobody is left: what was not owed by the log is owed to nobody. */
  onEmpty(): void {
    this.#host.standing.values.release()
    if (!this.#host.hasReaders) this.ephemeral.clear()
    if (this.#dueMs() === undefined) this.#unschedule()
  }

  /** Takes events of the tail. The promise, if any, resolves when there is room for more. */
  accept(events: readonly StoredEvent[]): void | Promise<void> {
    const { window, clock, limits, kinds } = this.#host
    const last = events.at(-1)
    if (!last || this.#isClosed) return undefined
    const nowMs = clock.now()
    for (const event of events) {
      const { epoch, seq } = event.position
      if (epoch !== window.end.epoch || seq > window.end.seq + 1) {
        this.reset(last.position)
        return undefined
      }
      if (seq === window.end.seq + 1) window.push(new Frame(event, nowMs, kinds.isState(event.topic)))
    }
    window.trim(this.#end.seq)
    this.#schedule()
    if (!this.#isFull(limits)) return undefined
    return new Promise((resolve) => this.#onRoom.push(resolve))
  }

  /**
   * Starts anew after `base`, because the tail has a hole or the log a new epoch: live members go on from the log, each
   * from where it stands. What is known already to follow `base` was published before: nobody is sent it as something new.
   */
  reset(base: Position, known: readonly StoredEvent[] = []): void {
    for (const audience of this.#host.index.all()) {
      for (const member of audience.members) member?.onWindowReset()
    }
    for (const audience of this.#pass?.audiences ?? []) audience.owed = undefined
    this.#pass = undefined
    const { window, clock, kinds } = this.#host
    const [nowMs, timeMs] = [clock.now(), clock.time()]
    window.reset(base)
    for (const event of known) {
      window.push(new Frame(event, nowMs - Math.max(0, timeMs - event.timeMs), kinds.isState(event.topic)))
    }
    this.#end = window.end
    window.trim(this.#end.seq)
    this.#passes++
    this.#giveRoom()
    this.#host.onReset()
  }

  close(): void {
    this.#isClosed = true
    this.#unschedule()
    this.#giveRoom()
  }

  #isFull(limits: HubLimits): boolean {
    const { window } = this.#host
    return window.end.seq - this.#end.seq > limits.hotWindowCount || window.heldBytes > 2 * limits.hotWindowBytes
  }

  #schedule(): void {
    if (this.#pass || this.#isClosed) return
    const { clock, limits } = this.#host
    const dueMs = this.#dueMs()
    if (dueMs === undefined) return
    // The interval is for gathering; what is gathered already need not wait.
    const atMs = this.#isCut ? dueMs : Math.max(dueMs, this.#lastPassMs + limits.flushIntervalMs)
    if (this.#scheduledForMs !== undefined && this.#scheduledForMs <= atMs) return
    this.#unschedule()
    const waitMs = atMs - clock.now()
    this.#scheduledForMs = waitMs > 0 ? atMs : Number.NEGATIVE_INFINITY
    if (waitMs > 0) this.#cancelTimer = clock.after(waitMs, () => this.#begin())
    else clock.soon(() => this.#begin())
  }

  #unschedule(): void {
    if (!this.#cancelTimer) return
    this.#cancelTimer()
    this.#cancelTimer = undefined
    this.#scheduledForMs = undefined
  }

  /** From when on there is something to send; undefined when nothing is. */
  #dueMs(): number | undefined {
    if (this.#end.seq !== this.#host.window.end.seq || !this.ephemeral.isEmpty) return Number.NEGATIVE_INFINITY
    return this.#host.standing.values.nextDueMs
  }

  #begin(): void {
    this.#scheduledForMs = undefined
    this.#cancelTimer = undefined
    const dueMs = this.#dueMs()
    if (this.#pass || this.#isClosed || dueMs === undefined) return
    const nowMs = this.#host.clock.now()
    if (dueMs <= nowMs) {
      this.#lastPassMs = nowMs
      const ephemeral = this.#freeze(nowMs)
      this.#host.onAdvance(ephemeral)
    }
    if (this.#pass) this.#slice(this.#pass)
    else this.#schedule()
  }

  /**
   * Fixes the end of the pass and what each audience is owed in it. What would be too much for one write is left to the
   * next pass. Returns the ephemeral events that it takes along.
   */
  #freeze(nowMs: number): readonly WireFrame[] {
    const { window, limits, standing } = this.#host
    const previousEnd = this.#end
    const oldestArrivalMs = window.frameAt(previousEnd.seq + 1)?.arrivedAtMs ?? nowMs
    const maxOwedBytes = limits.maxBufferBytes / 2
    for (;;) {
      const frames = window.framesAfter(previousEnd.seq, this.#maxFrames)
      const plan = this.#plan(frames, nowMs)
      const ephemeral = this.ephemeral.first(this.#maxExtras)
      const { audiences, longestBytes } = owe(this.#host.index, plan.frames, ephemeral)
      const extraCount = Math.max(plan.lateFrames.length, ephemeral.length)
      if (longestBytes <= maxOwedBytes || (frames.length <= 1 && extraCount <= (frames.length === 0 ? 1 : 0))) {
        this.#maxFrames = Math.min(MAX_FRAMES, this.#maxFrames * 2)
        this.#maxExtras = Math.min(MAX_FRAMES, Math.max(1, this.#maxExtras) * 2)
        this.#end = frames.at(-1)?.position ?? previousEnd
        this.ephemeral.remove(ephemeral.length)
        this.#isCut = this.#end.seq < window.end.seq || !this.ephemeral.isEmpty || plan.leftCount > 0
        this.#passes++
        standing.note(frames)
        if (this.#host.kinds.hasState) standing.values.commit(frames, plan, nowMs)
        if (this.#host.index.size === 0) standing.values.release()
        const { oldestLateSeq } = plan
        this.#pass = { previousEnd, audiences, oldestArrivalMs, frozenAtMs: nowMs, oldestLateSeq, audience: 0, slot: 0 }
        return ephemeral
      }
      for (const audience of audiences) audience.owed = undefined
      const part = maxOwedBytes / longestBytes
      this.#maxFrames = Math.max(1, Math.floor(frames.length * part))
      this.#maxExtras = Math.max(frames.length === 0 ? 1 : 0, Math.floor(extraCount * part))
    }
  }

  #plan(frames: readonly Frame[], nowMs: number): StatePlan {
    if (!this.#host.kinds.hasState) return { frames, lateFrames: [], leftCount: 0, oldestLateSeq: Infinity }
    return this.#host.standing.values.plan(frames, nowMs, this.#maxExtras)
  }

  #slice(pass: Pass): void {
    const { clock } = this.#host
    if (this.#pass !== pass || this.#isClosed) return
    let nowMs = clock.now()
    const endMs = nowMs + SLICE_MS
    while (nowMs < endMs) {
      if (!pass.audiences[pass.audience]) {
        this.#finish(pass, nowMs)
        return
      }
      this.#serve(pass, nowMs)
      if (this.#host.pending.isDue) this.#host.relieve()
      if (this.#pass !== pass) return
      nowMs = clock.now()
    }
    clock.soon(() => this.#slice(pass))
  }

  /** Serves the next members, of one audience or of several. */
  #serve(pass: Pass, nowMs: number): void {
    for (let left = MEMBERS_PER_LOOK; left > 0; left--) {
      const audience = pass.audiences[pass.audience]
      if (!audience) return
      const { owed, members } = audience
      if (owed) {
        const end = Math.min(members.length, pass.slot + left)
        for (; pass.slot < end; pass.slot++, left--) {
          const member = members[pass.slot]
          if (member && member.joinedPass <= this.#passes) member.deliver(owed, this.#passes, nowMs)
        }
        if (pass.slot < members.length) return
      }
      audience.owed = undefined
      pass.audience++
      pass.slot = 0
    }
  }

  #finish(pass: Pass, nowMs: number): void {
    this.#pass = undefined
    this.#host.observer.onPass?.({
      events: this.#end.seq - pass.previousEnd.seq,
      durationMs: nowMs - pass.frozenAtMs,
      lagMs: nowMs - pass.oldestArrivalMs,
    })
    this.#host.window.trim(this.#end.seq)
    if (!this.#isFull(this.#host.limits)) this.#giveRoom()
    this.#schedule()
  }

  #giveRoom(): void {
    const waiting = this.#onRoom
    this.#onRoom = []
    for (const resolve of waiting) resolve()
  }
}
