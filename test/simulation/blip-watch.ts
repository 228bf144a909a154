import type { EventContent } from '@millrace/server'
import type { Connection } from './connection.ts'
import type { FakeNode } from './fake-node.ts'
import { must } from './violation.ts'

/** An ephemeral event on a node, and who must get it if they stay live and idle. */
interface Handed {
  readonly number: number
  readonly node: FakeNode
  readonly dueMs: number
  readonly owed: Set<Connection>
}

/**
 * S7: an ephemeral event reaches everybody who wants it and is live when a node gets it, unless they fall behind, or
 * bytes wait for them, before it has left.
 */
export class BlipWatch {
  /** In which order ephemeral events were handed to nodes, by number. */
  readonly order = new Map<number, number>()
  readonly #blips: ReadonlyMap<number, EventContent>
  #handed: Handed[] = []

  constructor(blips: ReadonlyMap<number, EventContent>) {
    this.#blips = blips
  }

  hand(node: FakeNode, number: number, connections: Iterable<Connection>): void {
    this.order.set(number, this.order.size + 1)
    const event = this.#blips.get(number)
    const owed = new Set<Connection>()
    for (const connection of connections) {
      const { selectsAny, accepts } = connection.watch.ledger.wants
      const isWanted = event && selectsAny(event.topic) && accepts(event)
      if (isWanted && connection.node === node && isIdle(connection)) owed.add(connection)
    }
    this.#handed.push({ number, node, dueMs: node.onHandedBesides(), owed })
  }

  /** After each step. */
  check(nowMs: number): void {
    if (this.#handed.length === 0) return
    for (const { number, node, dueMs, owed } of this.#handed) {
      for (const connection of owed) {
        if (!isIdle(connection) || connection.watch.ledger.blips.has(number)) owed.delete(connection)
      }
      if (nowMs < dueMs || !node.isIdle) continue
      const [late] = owed
      must(late === undefined, 'S7', () => `${late?.name} is live and did not get the ephemeral event ${number}`)
    }
    this.#handed = this.#handed.filter(({ node, owed }) => owed.size > 0 && !node.hasCrashed)
  }
}

function isIdle({ isLive, socket }: Connection): boolean {
  return isLive && socket?.isOpen === true && socket.bufferedBytes === 0
}
