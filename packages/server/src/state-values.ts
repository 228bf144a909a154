import type { Audience } from './audience.ts'
import type { Frame } from './frame.ts'
import { type WireFrame } from './frame.ts'
import { LookedUpValues } from './looked-up-values.ts'
import type { TopicKinds } from './topic-kinds.ts'

/** The newest value of a key. */
interface Value {
  frame: Frame
  readonly intervalMs: number
  /** When a value of this key was sent last, by {@link Clock.now}. */
  sentAtMs: number
  /** Whether `frame` waits until its key may be sent again. */
  isHeld: boolean
}

/** The values of a topic. */
interface TopicValues {
  readonly byKey: Map<string, Value>
  /** `seq` of its newest event. */
  lastSeq: number
  /** Whether that has finished the topic. */
  isEnded: boolean
}

/** What a pass sends. Nothing has happened yet: see {@link StateValues.commit}. */
export interface StatePlan {
  /** Everything that leaves: events of log topics, values on time, and, without ids, values that had to wait. */
  readonly frames: readonly WireFrame[]
  /** Values that are late and would leave if there was room. */
  readonly leftCount: number
  readonly lateFrames: readonly Frame[]
  /** `seq` of the oldest of them; Infinity when there is none. */
  readonly oldestLateSeq: number
}

/**
 * The newest value of each key of state topics, as of the newest pass: not as of what has arrived, or values would go
 * backwards for who joins in between. As many as the log allows (its `maxStateKeys`).
 */
export class StateValues {
  readonly #kinds: TopicKinds
  #topics = new Map<string, TopicValues>()
  /** By interval, values whose key was sent less than the interval ago, those first that may be sent first. */
  #cooling = new Map<number, Set<Value>>()
  #heldCount = 0
  /** `seq` of the newest event; -1 when none was stored. */
  #newestSeq = -1
  readonly #lookedUp = new LookedUpValues((audience) => this.#find(audience))
  #oldestHeld: { readonly version: number; readonly seq: number } | undefined
  #version = 0

  constructor(kinds: TopicKinds) {
    this.#kinds = kinds
  }

  /** When the next value that waits may be sent, at the earliest. Undefined: none waits. */
  get nextDueMs(): number | undefined {
    if (this.#heldCount === 0) return undefined
    let nextMs = Infinity
    for (const values of this.#cooling.values()) {
      for (const value of values) {
        nextMs = Math.min(nextMs, value.sentAtMs + value.intervalMs)
        break
      }
    }
    return nextMs
  }

  /** `seq` of the oldest value that waits; Infinity when none does. */
  get oldestHeldSeq(): number {
    if (this.#heldCount === 0) return Infinity
    if (this.#oldestHeld?.version === this.#version) return this.#oldestHeld.seq
    let seq = Infinity
    for (const values of this.#cooling.values()) {
      for (const value of values) if (value.isHeld && value.frame.seq < seq) seq = value.frame.seq
    }
    this.#oldestHeld = { version: this.#version, seq }
    return seq
  }

  /**
   * The values that an audience wants, and those that have finished their topics, oldest first; shared by all who ask,
   * and good until the next pass.
   */
  matching(audience: Audience): readonly Frame[] {
    return this.#lookedUp.get(audience)
  }

  #find(audience: Audience): Frame[] {
    const frames: Frame[] = []
    const take = (values: TopicValues | undefined): void => {
      for (const { frame } of values?.byKey.values() ?? []) {
        if (audience.acceptsType(frame) || this.#isLast(frame)) frames.push(frame)
      }
    }
    if (audience.topics) {
      for (const topic of audience.topics) take(this.#topics.get(topic))
    } else {
      for (const values of this.#topics.values()) {
        for (const { frame } of values.byKey.values()) {
          if (audience.matchesTopic(frame.event.topic)) take(values)
          break
        }
      }
    }
    return frames
  }

  /** What of a value is sent, without an id, to a client of this name: all, that its topic is finished, or nothing. */
  partOf(frame: Frame, audience: Audience, client: string | undefined): WireFrame | undefined {
    if (this.#isLast(frame)) return audience.partWithoutId(frame, client)
    return audience.partOf(frame, client) === frame ? frame.value : undefined
  }

  /** Whether the value has finished its topic, and no other key was published to since. */
  #isLast({ event, seq }: Frame): boolean {
    return event.end === true && this.#topics.get(event.topic)?.lastSeq === seq
  }

  /** Begins anew with these values, oldest first. */
  load(frames: readonly Frame[]): void {
    this.#topics = new Map()
    this.#cooling = new Map()
    this.#heldCount = 0
    this.#newestSeq = -1
    this.#version++
    this.#lookedUp.clear()
    for (const frame of frames) this.#store(frame)
  }

  /** What a pass over these events sends, with at most so many values that are late. Changes nothing. */
  plan(frames: readonly Frame[], nowMs: number, maxLateCount: number): StatePlan {
    const newest = newestOfKeys(frames)
    const lateFrames: Frame[] = []
    let leftCount = 0
    let oldestLateSeq = Infinity
    for (const { frame } of this.#dueValues(newest, nowMs)) {
      if (newest.has(keyOf(frame))) continue
      if (lateFrames.length === maxLateCount) {
        leftCount++
        continue
      }
      lateFrames.push(frame)
      oldestLateSeq = Math.min(oldestLateSeq, frame.seq)
    }
    const leaving: WireFrame[] = lateFrames.map((frame) => frame.value)
    for (const frame of frames) {
      if (!frame.isState || (newest.get(keyOf(frame)) === frame && this.#isFree(frame, nowMs))) leaving.push(frame)
    }
    return { frames: leaving, leftCount, lateFrames, oldestLateSeq }
  }

  /** Takes over the events of a pass and notes what it sends. */
  commit(frames: readonly Frame[], { frames: leaving, lateFrames }: StatePlan, nowMs: number): void {
    const sent = new Set(leaving)
    for (const frame of frames) {
      if (!frame.isState) continue
      const value = this.#store(frame)
      if (sent.has(frame)) this.#markSent(value, nowMs)
      else if (value.frame === frame) this.#markHeld(value)
    }
    for (const frame of lateFrames) {
      const value = this.#valueOf(frame)
      if (value) this.#markSent(value, nowMs)
    }
    this.#cool(nowMs)
  }

  /** Nobody is there to wait for a value. */
  release(): void {
    this.#lookedUp.clear()
    if (this.#cooling.size === 0) return
    for (const values of this.#cooling.values()) {
      for (const value of values) {
        value.isHeld = false
        value.sentAtMs = -Infinity
      }
    }
    this.#cooling.clear()
    this.#heldCount = 0
    this.#version++
  }

  /** Held values whose time has come, and those of topics that these events finish: nothing comes after the end. */
  *#dueValues(newest: ReadonlyMap<string, Frame>, nowMs: number): Iterable<Value> {
    if (this.#heldCount === 0) return
    const ended = new Set<string>()
    for (const { event } of newest.values()) if (event.end) ended.add(event.topic)
    for (const [intervalMs, values] of this.#cooling) {
      for (const value of values) {
        if (value.sentAtMs + intervalMs > nowMs) break
        if (value.isHeld && !ended.has(value.frame.event.topic)) yield value
      }
    }
    for (const topic of ended) {
      for (const value of this.#topics.get(topic)?.byKey.values() ?? []) if (value.isHeld) yield value
    }
  }

  #isFree(frame: Frame, nowMs: number): boolean {
    const value = this.#valueOf(frame)
    return !value || frame.event.end === true || value.sentAtMs + value.intervalMs <= nowMs
  }

  #valueOf({ event }: Frame): Value | undefined {
    return this.#topics.get(event.topic)?.byKey.get(event.key ?? '')
  }

  #store(frame: Frame): Value {
    const { topic, key = '', end: isEnd = false } = frame.event
    this.#version++
    let values = this.#topics.get(topic)
    if (!values) this.#topics.set(topic, (values = { byKey: new Map(), lastSeq: -1, isEnded: false }))
    const known = values.byKey.get(key)
    if (frame.seq > this.#newestSeq && !isEnd && !values.isEnded) this.#lookedUp.note(known?.frame, frame)
    else this.#lookedUp.clear()
    this.#newestSeq = Math.max(this.#newestSeq, frame.seq)
    if (frame.seq > values.lastSeq) {
      values.lastSeq = frame.seq
      values.isEnded = isEnd
    }
    if (known) {
      if (known.frame.seq < frame.seq) known.frame = frame
      return known
    }
    const value = { frame, intervalMs: this.#kinds.intervalMs(topic), sentAtMs: -Infinity, isHeld: false }
    values.byKey.set(key, value)
    return value
  }

  #markSent(value: Value, nowMs: number): void {
    if (value.isHeld) this.#heldCount--
    value.isHeld = false
    value.sentAtMs = nowMs
    if (value.intervalMs === 0) return
    let values = this.#cooling.get(value.intervalMs)
    if (!values) this.#cooling.set(value.intervalMs, (values = new Set()))
    values.delete(value)
    values.add(value)
  }

  #markHeld(value: Value): void {
    if (value.isHeld) return
    value.isHeld = true
    this.#heldCount++
  }

  /** Forgets when those were sent that may be sent again and do not wait to be. */
  #cool(nowMs: number): void {
    for (const [intervalMs, values] of this.#cooling) {
      for (const value of values) {
        if (value.sentAtMs + intervalMs > nowMs) break
        if (!value.isHeld) values.delete(value)
      }
    }
  }
}

function newestOfKeys(frames: readonly Frame[]): ReadonlyMap<string, Frame> {
  const newest = new Map<string, Frame>()
  for (const frame of frames) if (frame.isState) newest.set(keyOf(frame), frame)
  return newest
}

/** Topics have no control characters, so no two keys are one. */
function keyOf({ event }: Frame): string {
  return `${event.topic}\0${event.key ?? ''}`
}
