import { compileSelectors, isPattern, type Selector, type Topic } from '@millrace/protocol'

const WORD_BITS = 32
/** So few selectors are faster tested one by one. */
const FEW = 8

/** What the patterns allow at one depth: bit `i` stands for pattern `i`, in words of 32 bits. */
interface Depth {
  /** By segment, of those that some pattern names. */
  readonly named: ReadonlyMap<string, Int32Array>
  /** For every other segment. */
  readonly others: Int32Array
}

/**
 * Patterns, asked together whether any of them matches a topic.
 *
 * Any client may choose them, so no choice may cost much: for each segment of a topic there is one look-up and one AND
 * of every 32 patterns, whatever they have in common (benchmarks/memory/eviction-speed.ts).
 */
export class PatternSet {
  readonly #depths: readonly Depth[]
  /** By the count of a topic's segments, those that no depth is left for counted as one: the patterns that end there. */
  readonly #endings: readonly Int32Array[]
  /** The patterns that the topic in question may still match. */
  readonly #alive: Int32Array

  constructor(patterns: readonly Selector[]) {
    const split = patterns.map((pattern) => pattern.split('.'))
    const depthCount = Math.max(0, ...split.map((segments) => segments.length))
    this.#alive = emptyMask(split)
    this.#depths = Array.from({ length: depthCount }, (_, depth) => depthOf(split, depth))
    this.#endings = Array.from({ length: depthCount + 2 }, (_, count) =>
      maskOf(split, (segments) => segments.length === count || (segments.length < count && segments.at(-1) === '>')),
    )
  }

  /** No pattern matches a topic that starts with `@`. */
  matches(topic: Topic): boolean {
    if (topic.startsWith('@')) return false
    const alive = this.#alive.fill(-1)
    let start = 0
    let count = 0
    for (const { named, others } of this.#depths) {
      const dot = topic.indexOf('.', start)
      const end = dot === -1 ? topic.length : dot
      const allowed = named.size === 0 ? others : (named.get(topic.slice(start, end)) ?? others)
      if (!keepCommon(alive, allowed)) return false
      count++
      if (dot === -1) return keepCommon(alive, this.#endings[count])
      start = end + 1
    }
    return keepCommon(alive, this.#endings[count + 1])
  }
}

/** `compileSelectors` for any number of selectors of a client's choice. */
export function selectorTest(selectors: readonly Selector[]): (topic: Topic) => boolean {
  if (selectors.length <= FEW) return compileSelectors(selectors)
  const topics = new Set<string>(selectors)
  const patterns = new PatternSet(selectors.filter(isPattern))
  return (topic) => topics.has(topic) || patterns.matches(topic)
}

function depthOf(patterns: readonly string[][], depth: number): Depth {
  const others = maskOf(patterns, (segments) => segments[depth] === '*' || isOpenAt(segments, depth))
  const named = new Map<string, Int32Array>()
  for (const [i, segments] of patterns.entries()) {
    const segment = segments[depth]
    if (segment === undefined || segment === '*' || segment === '>') continue
    const mask = named.get(segment) ?? others.slice()
    named.set(segment, mask)
    setBit(mask, i)
  }
  return { named, others }
}

function isOpenAt(segments: readonly string[], depth: number): boolean {
  return segments.length <= depth + 1 && segments.at(-1) === '>'
}

function maskOf(patterns: readonly string[][], holds: (segments: readonly string[]) => boolean): Int32Array {
  const mask = emptyMask(patterns)
  for (const [i, segments] of patterns.entries()) if (holds(segments)) setBit(mask, i)
  return mask
}

function emptyMask(patterns: readonly unknown[]): Int32Array {
  return new Int32Array(Math.ceil(patterns.length / WORD_BITS))
}

function setBit(mask: Int32Array, i: number): void {
  const word = Math.floor(i / WORD_BITS)
  mask[word] = (mask[word] ?? 0) | (1 << (i % WORD_BITS))
}

/** Keeps the bits that are in `other` too. False: none is left. */
function keepCommon(mask: Int32Array, other: Int32Array | undefined): boolean {
  let any = 0
  for (let i = 0; i < mask.length; i++) {
    const common = (mask[i] ?? 0) & (other?.[i] ?? 0)
    mask[i] = common
    any |= common
  }
  return any !== 0
}
