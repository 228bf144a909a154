import { isPattern, type Selector } from '@millrace/protocol'
import { Audience } from './audience.ts'
import type { WireFrame } from './frame.ts'
import type { SubscribeRequest } from './subscribe-request.ts'

/** One segment of the patterns that begin alike. */
class PatternNode {
  readonly children = new Map<string, PatternNode>()
  /** Patterns that end here. */
  readonly ends = new Set<Audience>()
  /** Patterns that end here with `>`. */
  readonly rest = new Set<Audience>()

  get isEmpty(): boolean {
    return this.children.size === 0 && this.ends.size === 0 && this.rest.size === 0
  }
}

/** Finds the audiences that are owed a frame, at a cost that does not depend on how many others there are. */
export class AudienceIndex {
  readonly #audiences = new Map<string, Audience>()
  readonly #byTopic = new Map<string, Set<Audience>>()
  readonly #patterns = new PatternNode()
  #matchNumber = 0

  get size(): number {
    return this.#audiences.size
  }

  /** How many entries the index holds, for finding leaks. */
  get entryCount(): number {
    return this.#audiences.size + this.#byTopic.size + this.#patterns.children.size + this.#patterns.rest.size
  }

  /** The audience of a request, with one more reference. */
  acquire(request: SubscribeRequest): Audience {
    const key = Audience.keyOf(request)
    let audience = this.#audiences.get(key)
    if (!audience) {
      audience = new Audience(key, request)
      this.#audiences.set(key, audience)
      for (const selector of audience.selectors) this.#add(selector, audience)
    }
    audience.references++
    return audience
  }

  /** Takes a reference back; the last one removes the audience. */
  release(audience: Audience): void {
    audience.references--
    if (audience.references > 0) return
    this.#audiences.delete(audience.key)
    for (const selector of audience.selectors) this.#remove(selector, audience)
  }

  /** Calls once for each audience that has selected the frame's topic, and says whether it wants its type as well. */
  match(frame: WireFrame, visit: (audience: Audience, wantsType: boolean) => void): void {
    const { topic } = frame.event
    const number = ++this.#matchNumber
    const found = (audiences: ReadonlySet<Audience>): void => {
      for (const audience of audiences) {
        if (audience.foundBy === number) continue
        audience.foundBy = number
        visit(audience, audience.acceptsType(frame))
      }
    }
    const exact = this.#byTopic.get(topic)
    if (exact) found(exact)
    if (!this.#patterns.isEmpty && !topic.startsWith('@')) walk(this.#patterns, topic.split('.'), 0, found)
  }

  /** All audiences, in no order. */
  all(): Iterable<Audience> {
    return this.#audiences.values()
  }

  #add(selector: Selector, audience: Audience): void {
    if (!isPattern(selector)) {
      const audiences = this.#byTopic.get(selector)
      if (audiences) audiences.add(audience)
      else this.#byTopic.set(selector, new Set([audience]))
      return
    }
    let node = this.#patterns
    for (const segment of selector.split('.')) {
      if (segment === '>') {
        node.rest.add(audience)
        return
      }
      let child = node.children.get(segment)
      if (!child) node.children.set(segment, (child = new PatternNode()))
      node = child
    }
    node.ends.add(audience)
  }

  #remove(selector: Selector, audience: Audience): void {
    if (!isPattern(selector)) {
      const audiences = this.#byTopic.get(selector)
      audiences?.delete(audience)
      if (audiences?.size === 0) this.#byTopic.delete(selector)
      return
    }
    removePattern(this.#patterns, selector.split('.'), 0, audience)
  }
}

function walk(
  node: PatternNode,
  segments: readonly string[],
  depth: number,
  found: (audiences: ReadonlySet<Audience>) => void,
): void {
  const segment = segments[depth]
  if (segment === undefined) {
    found(node.ends)
    return
  }
  found(node.rest)
  const named = node.children.get(segment)
  if (named) walk(named, segments, depth + 1, found)
  const any = node.children.get('*')
  if (any) walk(any, segments, depth + 1, found)
}

function removePattern(node: PatternNode, segments: readonly string[], depth: number, audience: Audience): void {
  const segment = segments[depth]
  if (segment === undefined) {
    node.ends.delete(audience)
    return
  }
  if (segment === '>') {
    node.rest.delete(audience)
    return
  }
  const child = node.children.get(segment)
  if (!child) return
  removePattern(child, segments, depth + 1, audience)
  if (child.isEmpty) node.children.delete(segment)
}
