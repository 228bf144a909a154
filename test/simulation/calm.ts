import { formatEventId } from '@millrace/protocol'
import type { Connection } from './connection.ts'
import { deliverFrom } from './happenings.ts'
import { connect } from './request.ts'
import { must } from './violation.ts'
import type { World } from './world.ts'

/**
 * Within so much time of calm, everything that is owed must have arrived. Where the bound of a subscriber is below that
 * of its socket, which then does not say that it drained, a long replay goes on a few events a sweep. Milliseconds.
 */
const PATIENCE_MS = 600_000
/** More turns than that, for each client, are a loop without end. */
const MOST_TURNS_EACH = 4_000

/**
 * Lets all trouble end: the log is well, tails run, sockets drain, clients come back. Then every subscriber must become
 * live, have all that it is owed, and hold an id that is not behind the head.
 */
export async function calmDown(world: World): Promise<void> {
  world.tell(() => '--- calm')
  world.log.failing = false
  for (const node of world.nodes) node.calmDown()
  for (const connection of world.connections) if (connection.isAbandoned) connection.socket?.lose()
  const deadlineMs = world.nowMs + PATIENCE_MS
  const mostTurns = MOST_TURNS_EACH * (5 + world.clients.length)
  for (let turn = 0; await turnOnce(world, false); turn++) {
    must(turn < mostTurns, 'liveness', () => 'there is no rest while the tails are silent')
  }
  for (let turn = 0; ; turn++) {
    must(turn < mostTurns, 'liveness', () => `no rest after ${turn} turns: ${whoIsLate(world)}`)
    if (await turnOnce(world, true)) continue
    const late = whoIsLate(world)
    if (late === undefined) break
    const next = world.nextTimerMs
    must(world.nowMs < deadlineMs, 'liveness', () => late)
    const waitMs = Math.max(0, Math.min(next ?? Infinity, world.nowMs + 100) - world.nowMs)
    await world.advance(waitMs, true)
    await world.settle()
  }
}

/** One thing that is due without any time going by. False: there is nothing. */
async function turnOnce(world: World, withTails: boolean): Promise<boolean> {
  const did = (withTails && moveTails(world)) || actOnce(world)
  if (did) await world.settle()
  return did
}

function moveTails(world: World): boolean {
  for (const tail of world.log.tails) {
    if (tail.interrupted) world.fire(() => tail.resume())
    else if (tail.canDeliver) deliverFrom(world, tail, 100, false)
    else continue
    return true
  }
  return false
}

function actOnce(world: World): boolean {
  const what = world.log.answerOldest()
  if (what !== undefined) {
    world.tell(() => `the log: ${what}`)
    return true
  }
  for (const node of world.nodes) {
    if (node.clock.soonCount === 0 && !node.clock.hasOverdueTimer) continue
    world.fire(() => node.clock.runSoon(world.random) || node.clock.fireDueTimer())
    return true
  }
  for (const connection of world.connections) if (serve(world, connection)) return true
  return reconnectOne(world) || readOne(world)
}

function readOne(world: World): boolean {
  const node = world.nodes.find((other) => other.isReady && !other.isDraining)
  for (const reader of world.readers) {
    if (reader.canPull) reader.pull(world)
    else if (!reader.gone && !reader.isRunning && node) reader.start(world, node)
    else continue
    return true
  }
  return false
}

function serve(world: World, connection: Connection): boolean {
  const { socket } = connection
  if (!socket) {
    if (!connection.admission) return false
    world.fire(() => connection.open())
    return true
  }
  const before = `${socket.takenBytes} ${socket.unreadBytes} ${connection.isAbandoned}`
  world.moveBytes(connection, Infinity, Infinity)
  if (connection.isAbandoned && socket.isOpen) socket.lose()
  if (socket.owesDrain || socket.owesClose) {
    world.fire(() => world.notify(connection))
    return true
  }
  return before !== `${socket.takenBytes} ${socket.unreadBytes} ${connection.isAbandoned}`
}

function reconnectOne(world: World): boolean {
  for (const client of world.clients) {
    if (client.gone || client.isDone || client.notBeforeMs > world.nowMs || world.connectionOf(client)) continue
    const node = world.nodes.find((other) => !other.isDraining)
    if (!node) return false
    connect(world, client, node)
    return true
  }
  return false
}

/** Why it is not over yet, or undefined. */
function whoIsLate(world: World): string | undefined {
  const head = formatEventId(world.history.head)
  for (const node of world.nodes) {
    if (!node.isReady) return `${node.name} is not ready`
    if (node.isDraining) return `${node.name} has not closed`
    if (world.nowMs < node.flushDueMs || node.hub.stats().lagMs > 0) return `${node.name} has not flushed`
  }
  if (world.pendingPublishes > 0 && world.log.calls.length === 0 && !world.hadCrash) return 'a publish is not settled'
  for (const { name, gone, isRunning, ledger } of world.readers) {
    const owed = gone ? undefined : ledger.firstOwed
    const value = gone || !isRunning ? undefined : ledger.values.firstOwed
    if (value) return `${name} has not read the value ${formatEventId(value.position)} of ${value.topic}`
    if (owed) return `${name} has not read ${formatEventId(owed.event.position)} on ${owed.event.topic}`
    const end = gone || !isRunning ? undefined : ledger.values.firstOwedEnd
    if (end !== undefined) return `${name} has not read that ${end} is finished`
    if (gone && isRunning) return `${name} has not ended`
  }
  for (const client of world.clients) {
    if (client.gone || client.isDone) continue
    const connection = world.connectionOf(client)
    if (!connection?.subscriber) return `${client.name} has no stream`
    if (!connection.isLive) return `${client.name} is ${connection.subscriber.state.name}`
    const ledger = client.changes ? connection.watch.ledger : client.ledger
    if (connection.watch.awaited) return `${client.name} was not told of its new topics`
    const owed = ledger.firstOwed
    if (owed) return `${client.name} has not got ${formatEventId(owed.event.position)} on ${owed.event.topic}`
    if (connection.watch.ledger.isFinished) return `${client.name} is not ended, though all is finished`
    const { owedMark } = ledger
    if (owedMark !== undefined) return `${client.name} was not told that ${owedMark} is finished`
    const value = ledger.values.firstOwed
    if (value) return `${client.name} has not got the value ${formatEventId(value.position)} of ${value.topic}`
    const end = ledger.values.firstOwedEnd
    if (end !== undefined) return `${client.name} was not told that ${end} is finished`
    if (client.lastEventId !== head) return `${client.name} holds ${client.lastEventId}, the head is ${head}`
    const { presented, watch } = connection
    if (presented !== '' && watch.ledger.notices === 0 && watch.caughtUps === 0)
      return `${client.name} was not told that it has caught up`
  }
  return undefined
}
