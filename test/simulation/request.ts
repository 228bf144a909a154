import { Connection } from './connection.ts'
import type { FakeClient } from './fake-client.ts'
import type { FakeNode } from './fake-node.ts'
import { drawSocketShape } from './scenario.ts'
import { StreamWatch } from './stream-watch.ts'
import { must } from './violation.ts'
import type { World } from './world.ts'

/** A client asks a node for its stream, with the id that it holds. */
export function connect(world: World, client: FakeClient, node: FakeNode): void {
  const { wants, lastEventId } = client
  const { from } = wants.request
  const ledger = world.newLedger(wants)
  const { creepMs, maxRatePerSecond } = world.scenario
  const terms = {
    ledger,
    // Where work takes time, a pass does not write to all at the moment at which it begins.
    valueIntervalMs: creepMs === 0 && maxRatePerSecond !== false ? 1_000 / maxRatePerSecond : 0,
    blipOrder: world.blipWatch.order,
    limits: node.hub.limits,
    presented: lastEventId,
    headThen: client.headAtForging,
    from,
    flushedBefore: node.flushed,
    mayOweValues: world.scenario.hasValues && ['s.one', 's.two', 's.y', 's.q'].some((topic) => wants.selectsAny(topic)),
  }
  const plan = { shape: drawSocketShape(world.random), opensLate: world.random.chance(0.15) }
  const connection = new Connection(client, node, new StreamWatch(terms, world.nowMs), plan, world)
  connection.needsNoLog = node.isReady && (lastEventId === '' ? from === 'now' : node.hasInMemory(lastEventId))
  world.connections.add(connection)
  client.beginStream()
  world.tell(() => `${client.name} asks ${node.name} with ${JSON.stringify(lastEventId)}`)
  const request = { ...wants.request, lastEventId: lastEventId === '' ? undefined : lastEventId }
  Promise.resolve(node.hub.admit(request)).then(
    (admission) => {
      if (node.hasCrashed) return
      if (admission.kind === 'refused') {
        world.fire(() => takeRefusal(world, connection, admission.reason, admission.retryAfterMs))
        return
      }
      if (admission.kind === 'finished') {
        world.fire(() => takeFinished(world, connection))
        return
      }
      connection.admission = admission
      connection.watch.lastWriteAtMs = world.nowMs
      if (!connection.opensLate) world.fire(() => connection.open())
    },
    (error: unknown) => world.fault(error),
  )
}

/** §8: who has had the ends of all its topics need not come again. */
function takeFinished(world: World, connection: Connection): void {
  const { client } = connection
  world.tell(() => `${client.name} is told by ${connection.node.name} that all is finished`)
  connection.isAbandoned = true
  connection.isOver = true
  world.connections.delete(connection)
  must(
    client.changes || client.ledger.isFinished,
    '§8',
    () => `${client.name} is told that all is finished at ${client.lastEventId}`,
  )
  client.isDone = true
}

/** §8: a refusal says why, and that is so. */
function takeRefusal(world: World, connection: Connection, reason: string, retryAfterMs: number): void {
  const { node, client } = connection
  world.tell(() => `${client.name} is refused by ${node.name}: ${reason}, ${retryAfterMs} ms`)
  connection.isAbandoned = true
  connection.isOver = true
  world.connections.delete(connection)
  client.notBeforeMs = world.nowMs + retryAfterMs
  const wasAway = world.logAwayAtMs >= connection.askedAtMs || !node.isReady || node.tail?.interrupted === true
  const isTrue = {
    draining: node.isDraining,
    log_unavailable: wasAway && !connection.needsNoLog,
    overloaded: node.hub.stats().lagMs > 0,
  }[reason]
  must(isTrue === true, '§8', () => `${client.name} was refused as ${reason}, which is not true`)
}
