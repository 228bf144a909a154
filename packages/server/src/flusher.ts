import type { Position } from '@millrace/protocol'
import type { Audience } from './audience.ts'
import type { AudienceIndex } from './audience-index.ts'
import type { Clock } from './clock.ts'
import { batchFrames } from './frame-batch.ts'
import { FrameList } from './frame-list.ts'
import { Frame, VARIANTS } from './frame.ts'
import type { HotWindow } from './hot-window.ts'
import type { HubObserver } from './hub-observer.ts'
import type { HubLimits } from './hub-options.ts'
import type { StoredEvent } from './log.ts'
import type { Subscriber } from './subscriber.ts'

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
  /** A pass was frozen. */
  onAdvance(): void
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
  /** Whether the newest pass left something to the next one. */
  #isCut = false
  #pass: Pass | undefined
  #lastPassMs = Number.NEGATIVE_INFINITY
  #cancelTimer: (() => void) | undefined
  #isScheduled = false
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
    const pass = this.#pass
    const isOwed =
      pass && member.audience.owed && member.joinedPass <= this.#passes && member.servedPass !== this.#passes
    return isOwed ? pass.previousEnd : this.#end
  }

  /** Takes events of the tail. The promise, if any, resolves when there is room for more. */
  accept(events: readonly StoredEvent[]): void | Promise<void> {
    const { window, clock, limits } = this.#host
    const last = events.at(-1)
    if (!last || this.#isClosed) return undefined
    const nowMs = clock.now()
    for (const event of events) {
      const { epoch, seq } = event.position
      if (epoch !== window.end.epoch || seq > window.end.seq + 1) {
        this.reset(last.position)
        return undefined
      }
      if (seq === window.end.seq + 1) window.push(new Frame(event, nowMs))
    }
    window.trim(this.#end.seq)
    this.#schedule()
    if (!this.#isFull(limits)) return undefined
    return new Promise((resolve) => this.#onRoom.push(resolve))
  }

  /**
   * Starts anew after `base`, because the tail has a hole or the log a new epoch: live members go on from the log, each
   * from where it stands.
   */
  reset(base: Position): void {
    for (const audience of this.#host.index.all()) {
      for (const member of audience.members) member?.onWindowReset()
    }
    for (const audience of this.#pass?.audiences ?? []) audience.owed = undefined
    this.#pass = undefined
    this.#host.window.reset(base)
    this.#end = base
    this.#passes++
    this.#giveRoom()
    this.#host.onReset()
  }

  close(): void {
    this.#isClosed = true
    this.#cancelTimer?.()
    this.#giveRoom()
  }

  #isFull(limits: HubLimits): boolean {
    const { window } = this.#host
    return window.end.seq - this.#end.seq > limits.hotWindowCount || window.heldBytes > 2 * limits.hotWindowBytes
  }

  #schedule(): void {
    if (this.#pass || this.#isScheduled || this.#isClosed || this.#end.seq === this.#host.window.end.seq) return
    this.#isScheduled = true
    const { clock, limits } = this.#host
    // The interval is for gathering; what is gathered already need not wait.
    const waitMs = this.#isCut ? 0 : this.#lastPassMs + limits.flushIntervalMs - clock.now()
    if (waitMs > 0) this.#cancelTimer = clock.after(waitMs, () => this.#begin())
    else clock.soon(() => this.#begin())
  }

  #begin(): void {
    this.#isScheduled = false
    this.#cancelTimer = undefined
    if (this.#pass || this.#isClosed || this.#end.seq === this.#host.window.end.seq) return
    this.#lastPassMs = this.#host.clock.now()
    this.#freeze()
    this.#host.onAdvance()
    if (this.#pass) this.#slice(this.#pass)
  }

  /**
   * Fixes the end of the pass and what each audience is owed in it. What would be too much for one write is left to the
   * next pass.
   */
  #freeze(): void {
    const { window, limits, clock } = this.#host
    const previousEnd = this.#end
    const oldestArrivalMs = window.frameAt(previousEnd.seq + 1)?.arrivedAtMs ?? clock.now()
    const maxOwedBytes = limits.maxBufferBytes / 2
    for (;;) {
      const frames = window.framesAfter(previousEnd.seq, this.#maxFrames)
      const { audiences, longestBytes } = this.#match(frames)
      if (longestBytes <= maxOwedBytes || frames.length === 1) {
        this.#maxFrames = Math.min(MAX_FRAMES, this.#maxFrames * 2)
        this.#end = frames.at(-1)?.event.position ?? previousEnd
        this.#isCut = this.#end.seq < window.end.seq
        this.#passes++
        this.#pass = { previousEnd, audiences, oldestArrivalMs, frozenAtMs: this.#lastPassMs, audience: 0, slot: 0 }
        return
      }
      for (const audience of audiences) audience.owed = undefined
      this.#maxFrames = Math.max(1, Math.floor((frames.length * maxOwedBytes) / longestBytes))
    }
  }

  /**
   * Notes with each audience what it is owed. Frames of one topic are matched together: audiences that have a topic in
   * common are gone through once in a pass, not once for each frame of it. With 10,000 of them and eight frames a pass
   * the engine then takes half the time or less (benchmark `engine`).
   */
  #match(frames: readonly Frame[]): { readonly audiences: Audience[]; readonly longestBytes: number } {
    const lists = VARIANTS.map((variant) => FrameList.empty(variant))
    const audiences: Audience[] = []
    let longestBytes = 0
    for (const batch of batchFrames(frames)) {
      const [first] = batch.frames
      if (!first) continue
      this.#host.index.match(first, (audience) => {
        if (audience.memberCount === 0) return
        if (!audience.owed) audiences.push(audience)
        const owed = (audience.owed ?? lists[audience.variant])?.plus(batch)
        audience.owed = owed
        if (owed && owed.byteLength > longestBytes) longestBytes = owed.byteLength
      })
    }
    return { audiences, longestBytes }
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
