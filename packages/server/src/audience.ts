import { compileSelectors, isPattern, type Selector, type Topic } from '@millrace/protocol'
import type { Frame, Variant, WireFrame } from './frame.ts'
import { variantOf } from './frame.ts'
import type { FrameList } from './frame-list.ts'
import type { LookedUp } from './looked-up-values.ts'
import type { SubscribeRequest } from './subscribe-request.ts'
import type { Subscriber } from './subscriber.ts'

/** All subscribers with equal selectors, filters and looks: what is matched instead of each of them. */
export class Audience {
  readonly key: string
  readonly selectors: readonly Selector[]
  readonly variant: Variant
  /** The topics, when no selector is a pattern. */
  readonly topics: readonly Topic[] | undefined
  readonly matchesTopic: (topic: Topic) => boolean
  /** What the pass under way owes its members; undefined when nothing, or when all of them have been served. */
  owed: FrameList | undefined
  /** Number of the last match that found this audience, so that two matching selectors do not send a frame twice. */
  foundBy = 0
  /** The values of state topics that it wants, as they were last looked up; see `LookedUpValues`. */
  values: LookedUp | undefined
  /** How many subscribers refer to this audience, live or not. */
  references = 0
  readonly #types: ReadonlySet<string> | undefined
  readonly #request: SubscribeRequest
  #members: (Subscriber | undefined)[] = []
  #memberCount = 0

  constructor(key: string, request: SubscribeRequest) {
    this.key = key
    this.#request = request
    this.selectors = request.selectors
    this.variant = variantOf(request)
    this.#types = request.types.length > 0 ? new Set(request.types) : undefined
    this.matchesTopic = compileSelectors(request.selectors)
    // A selector that is no pattern is a topic.
    this.topics = request.selectors.some(isPattern) ? undefined : (request.selectors as readonly string[] as Topic[])
  }

  static keyOf(request: SubscribeRequest): string {
    return JSON.stringify([
      variantOf(request),
      [...new Set(request.types)].sort(),
      [...new Set(request.selectors)].sort(),
    ])
  }

  /** An audience outside of every index that wants less. */
  narrowedTo(selectors: readonly Selector[]): Audience {
    const request = { ...this.#request, selectors }
    return new Audience(Audience.keyOf(request), request)
  }

  /** The live members, in slots; a slot whose member has left is empty until {@link compact}. */
  get members(): readonly (Subscriber | undefined)[] {
    return this.#members
  }

  get memberCount(): number {
    return this.#memberCount
  }

  acceptsType(frame: WireFrame): boolean {
    return this.#types === undefined || this.#types.has(frame.event.type ?? 'message')
  }

  /** What of an event of a matching topic is sent to a client of this name: all, that the topic is finished, or nothing. */
  partOf(frame: Frame, client: string | undefined): WireFrame | undefined {
    if (this.acceptsType(frame) && (client === undefined || frame.except !== client)) return frame
    return frame.event.end ? frame.mark : undefined
  }

  /** The same without an id. */
  partWithoutId(frame: Frame, client: string | undefined): WireFrame | undefined {
    const part = this.partOf(frame, client)
    return part === frame ? frame.withoutId : part && frame.markWithoutId
  }

  /** Adds a live member and returns its slot. */
  join(subscriber: Subscriber): number {
    this.#memberCount++
    return this.#members.push(subscriber) - 1
  }

  /** Empties a slot. While a pass goes through the slots the others keep theirs, so that it misses nobody. */
  leave(slot: number): void {
    this.#members[slot] = undefined
    this.#memberCount--
    if (!this.owed) this.compact()
  }

  /** Closes up the empty slots when they are more than half of all. Not while a pass goes through them. */
  compact(): void {
    if (this.#members.length <= 2 * this.#memberCount) return
    const members = this.#members.filter((member) => member !== undefined)
    for (const [slot, member] of members.entries()) member.slot = slot
    this.#members = members
  }
}
