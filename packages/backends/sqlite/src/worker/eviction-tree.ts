import type { Position, Selector, Topic } from '@millrace/protocol'

/** The place of one topic, and of all that begin with it. */
export class EvictionNode {
  readonly parent: EvictionNode | undefined
  readonly segment: string
  children: Map<string, EvictionNode> | undefined
  /** The newest evicted event of the topic itself, and of the topics below it. */
  own: Position | undefined
  below: Position | undefined
  /** Whether the index knows the topic itself. */
  isTopic = false

  constructor(parent: EvictionNode | undefined, segment: string) {
    this.parent = parent
    this.segment = segment
  }
}

/**
 * Finds the newest evicted event that a pattern matches without a look at every topic: any client may ask, with
 * patterns that match nothing. Users' own topics are in it too, apart from what wildcards can reach.
 */
export class EvictionTree {
  readonly #root = new EvictionNode(undefined, '')
  readonly #users = new EvictionNode(undefined, '')

  add(topic: Topic): EvictionNode {
    let node = topic.startsWith('@') ? this.#users : this.#root
    for (const segment of topic.split('.')) {
      node = childOf(node, segment)
    }
    node.isTopic = true
    return node
  }

  /**
   * Removes a topic. What was noted below its ancestors stays there, which does no harm as long as a forgotten topic
   * counts as evicted up to the same position.
   */
  remove(topicNode: EvictionNode): void {
    topicNode.isTopic = false
    topicNode.own = undefined
    let node = topicNode
    while (node.parent && !node.isTopic && !node.children?.size) {
      node.parent.children?.delete(node.segment)
      node = node.parent
    }
  }

  note(node: EvictionNode, position: Position): void {
    node.own = later(position, node.own)
    for (let above = node.parent; above; above = above.parent) above.below = later(position, above.below)
  }

  /** The newest evicted event that the pattern matches, if it is later than `floor`; else `floor`. */
  newestMatch(pattern: Selector, floor: Position): Position {
    return newestBelow(this.#root, pattern.split('.'), 0, floor)
  }
}

function childOf(node: EvictionNode, segment: string): EvictionNode {
  node.children ??= new Map()
  const known = node.children.get(segment)
  if (known) return known
  const child = new EvictionNode(node, segment)
  node.children.set(segment, child)
  return child
}

/** The newest evicted event below a node that the segments from `depth` on match; `floor` if none is later. */
function newestBelow(node: EvictionNode, segments: readonly string[], depth: number, floor: Position): Position {
  const segment = segments[depth]
  if (segment === undefined) return later(floor, node.own)
  const newestBelowNode = later(floor, node.below)
  if (newestBelowNode === floor || segment === '>') return newestBelowNode
  if (segment !== '*') {
    const child = node.children?.get(segment)
    return child ? newestBelow(child, segments, depth + 1, floor) : floor
  }
  let newest = floor
  for (const child of node.children?.values() ?? []) {
    newest = newestBelow(child, segments, depth + 1, newest)
    // No other child can have a later one.
    if (newest === newestBelowNode) break
  }
  return newest
}

/** The later one; `one` when they are the same. */
export function later(one: Position, other: Position | undefined): Position {
  return other && other.seq > one.seq ? other : one
}
