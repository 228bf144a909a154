import type { Audience } from './audience.ts'
import type { Frame } from './frame.ts'

/** The values that an audience wants, oldest first, as of so many changes of all values. */
export interface LookedUp {
  changeCount: number
  readonly frames: Frame[]
}

/** A value that has come, and that of its key which it stands for now. */
interface Change {
  readonly before: Frame | undefined
  readonly now: Frame
}

/** As many values, over all audiences, are kept; an audience by itself counts as some. */
const MAX_COUNT = 1_000_000
const AUDIENCE_COUNT = 64
/** What nobody has asked for since twice so many changes is let go: it keeps values alive that were replaced. */
const MAX_CHANGES = 256
/** After more changes than this all is looked up anew: that takes less. */
const MAX_CHANGES_APPLIED = 64

/**
 * What audiences have looked up of the values of state topics. Who reads many values asks again and again while they
 * change, and finding all of them and putting them in order takes a hundred times as long as adding what has changed.
 */
export class LookedUpValues {
  readonly #find: (audience: Audience) => Frame[]
  #changeCount = 0
  /** The newest changes, as far as somebody may have missed them. */
  #changes: Change[] = []
  readonly #audiences = new Set<Audience>()
  /** What is kept for them; see `MAX_COUNT`. */
  #count = 0

  /** @param find the values that an audience wants, in any order */
  constructor(find: (audience: Audience) => Frame[]) {
    this.#find = find
  }

  /** The values that an audience wants, oldest first; shared by all who ask, and good until the next change. */
  get(audience: Audience): readonly Frame[] {
    const known = audience.values
    if (known && this.#count <= MAX_COUNT && this.#update(known, audience)) return known.frames
    this.#forget(audience)
    const frames = this.#find(audience).sort((one, other) => one.seq - other.seq)
    if (this.#count + frames.length > MAX_COUNT) this.clear()
    audience.values = { changeCount: this.#changeCount, frames }
    this.#audiences.add(audience)
    this.#count += frames.length + AUDIENCE_COUNT
    return frames
  }

  /** A value has come that is newer than all others; what else audiences want is what they wanted before. */
  note(before: Frame | undefined, now: Frame): void {
    this.#changeCount++
    if (this.#audiences.size === 0) return
    this.#changes.push({ before, now })
    if (this.#changes.length < 2 * MAX_CHANGES) return
    this.#changes = this.#changes.slice(MAX_CHANGES)
    for (const audience of this.#audiences) if (this.#missedBy(audience.values) > MAX_CHANGES) this.#forget(audience)
  }

  /** Lets go of everything: more has changed than one value. */
  clear(): void {
    for (const audience of this.#audiences) audience.values = undefined
    this.#audiences.clear()
    this.#changes = []
    this.#count = 0
  }

  #update(known: LookedUp, audience: Audience): boolean {
    const missed = this.#missedBy(known)
    if (missed > MAX_CHANGES_APPLIED) return false
    const { frames } = known
    this.#count -= frames.length
    for (const { before, now } of this.#changes.slice(this.#changes.length - missed)) {
      if (!audience.matchesTopic(now.event.topic)) continue
      const at = before ? indexAfter(frames, before.seq - 1) : frames.length
      if (at < frames.length && frames[at] === before) frames.splice(at, 1)
      if (audience.acceptsType(now)) frames.push(now)
    }
    this.#count += frames.length
    known.changeCount = this.#changeCount
    return true
  }

  #missedBy(known: LookedUp | undefined): number {
    return this.#changeCount - (known?.changeCount ?? -Infinity)
  }

  #forget(audience: Audience): void {
    if (!this.#audiences.delete(audience)) return
    this.#count -= (audience.values?.frames.length ?? 0) + AUDIENCE_COUNT
    audience.values = undefined
    if (this.#audiences.size === 0) this.#changes = []
  }
}

/** The index of the first value after a place, in values that are in order. */
export function indexAfter(values: readonly Frame[], seq: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((values[middle]?.seq ?? 0) > seq) high = middle
    else low = middle + 1
  }
  return low
}
