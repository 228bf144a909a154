import type { FakeNode } from './fake-node.ts'
import { must } from './violation.ts'
import type { World } from './world.ts'

/** The process of a node dies: its sockets are cut, and another process takes its place. */
export function crash(world: World, node: FakeNode): void {
  world.hadCrash = true
  node.die()
  for (const connection of world.connections) {
    if (connection.node !== node) continue
    connection.socket?.lose()
    connection.isOver = true
    world.abandon(connection)
    world.connections.delete(connection)
  }
  world.nodes.splice(world.nodes.indexOf(node), 1)
  world.addNode()
}

/** A node says farewell; when it has closed, nothing of it may be left. */
export function drain(world: World, node: FakeNode): void {
  if (node.isDraining) return
  node.isDraining = true
  node.hub.close().then(
    () => world.fire(() => checkClosed(world, node)),
    (error: unknown) => world.fault(error),
  )
}

function checkClosed(world: World, node: FakeNode): void {
  if (node.hasCrashed) return
  world.tell(() => `${node.name} has closed`)
  world.nodes.splice(world.nodes.indexOf(node), 1)
  node.hasClosed = true
  const stats = node.hub.stats()
  const isEmpty = stats.subscribers === 0 && stats.audiences === 0
  must(isEmpty, '§11.8', () => `${node.name} closed with ${JSON.stringify(stats)}`)
  must(node.log.closed && node.tail === undefined, '§11.8', () => `${node.name} has closed, but still follows the log`)
  const { timerCount } = node.clock
  must(timerCount === 0, '§11.8', () => `${node.name} has closed with ${timerCount} timers`)
}
