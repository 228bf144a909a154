import { formatEventId } from '@millrace/protocol'
import { crash, drain } from './node-end.ts'
import { publish } from './publication.ts'
import { changeTopics } from './change-topics.ts'
import { connect } from './request.ts'
import { drawEvents, type Happening } from './scenario.ts'
import { newEvent } from '@millrace/server'
import type { FakeTail } from './fake-tail.ts'
import type { World } from './world.ts'

/** What each happening does. False: it could not happen now. */
type Deed = (world: World) => boolean | Promise<boolean>

const MAX_EVENT_BYTES = 65_536
const MOST_CLIENTS = 14

export const deeds: Readonly<Record<Happening, Deed>> = {
  soon(world) {
    const waiting = world.nodes.filter((node) => node.clock.soonCount > 0)
    if (waiting.length === 0) return false
    const node = world.random.pick(waiting)
    world.tell(() => `a turn of ${node.name}`)
    world.fire(() => node.clock.runSoon(world.random))
    return true
  },

  async time(world) {
    const ms = world.random.pick([0, 0.5, 1, 3, 10, 20])
    await world.advance(ms, world.random.chance(0.8))
    return true
  },

  async 'long-time'(world) {
    if (world.nodes.some((node) => node.clock.soonCount > 0)) return false
    if (world.random.chance(0.2)) world.skew(world.random.between(-5_000, 5_000))
    const ms = world.random.pick([50, 200, 1000, world.scenario.limits.heartbeatMs + 50])
    world.tell(() => `time goes on by ${ms} ms`)
    await world.advance(ms, true)
    return true
  },

  'log-call'(world) {
    const what = world.log.progress(world.random)
    if (what === undefined) return false
    world.tell(() => `the log: ${what}`)
    return true
  },

  tail: (world) => deliverTail(world, false),
  'tail-hole': (world) => deliverTail(world, true),

  publish(world) {
    const nodes = world.nodes.filter((node) => node.isReady && !node.isDraining)
    if (nodes.length === 0) return false
    const times = world.random.chance(0.1) ? 3 : 1
    for (let i = 0; i < times; i++)
      publish(world, world.random.pick(nodes), drawEvents(world.random, world.scenario, world))
    return true
  },

  'append-elsewhere'(world) {
    if (world.log.failing) return false
    const drawn = drawEvents(world.random, world.scenario, world).filter(({ ephemeral }) => !ephemeral)
    if (drawn.length === 0) return false
    const events = drawn.map((event) => newEvent(event, MAX_EVENT_BYTES).event)
    const positions = world.log.store(events)
    world.tell(() => `elsewhere is stored ${positions.map(({ seq }, i) => `${seq} on ${events[i]?.topic}`).join(', ')}`)
    return true
  },

  network(world) {
    const open = world.openConnections.filter((connection) => !connection.isStalled)
    if (open.length === 0) return false
    const connection = world.random.pick(open)
    const amount = (): number =>
      world.random.pick([0, 1, world.random.below(100), world.random.below(3_000), 1_000_000])
    world.moveBytes(connection, amount(), amount())
    return true
  },

  /** A connection stands still for a while, or moves again. */
  stall(world) {
    const open = world.openConnections
    if (open.length === 0) return false
    const connection = world.random.pick(open)
    connection.isStalled = !connection.isStalled
    world.tell(() => `${connection.name} ${connection.isStalled ? 'stalls' : 'moves again'}`)
    return true
  },

  notify(world) {
    const owed = world.openConnections.filter(({ socket }) => socket?.owesDrain || socket?.owesClose)
    if (owed.length === 0) return false
    const connection = world.random.pick(owed)
    world.fire(() => world.notify(connection))
    return true
  },

  connect(world) {
    const late = [...world.connections].filter((connection) => connection.admission && !connection.socket)
    if (late.length > 0 && world.random.chance(0.5)) {
      const connection = world.random.pick(late)
      world.fire(() => connection.open())
      return true
    }
    const idle = world.clients.filter(
      (client) => !client.gone && !client.isDone && client.notBeforeMs <= world.nowMs && !world.connectionOf(client),
    )
    if (idle.length === 0 || world.nodes.length === 0) return false
    connect(world, world.random.pick(idle), world.random.pick(world.nodes))
    return true
  },

  'new-client'(world) {
    if (world.clients.length >= MOST_CLIENTS) return false
    world.addClient(world.drawWants())
    return true
  },

  /** A reader inside a node begins, takes the next event, or leaves. */
  read(world) {
    const reader = world.random.pick(world.readers)
    const nodes = world.nodes.filter((node) => node.isReady && !node.isDraining)
    if (reader.isRunning && world.random.chance(0.05)) reader.leave(world)
    else if (reader.canPull) reader.pull(world)
    else if (reader.isRunning || nodes.length === 0) return false
    else reader.start(world, world.random.pick(nodes))
    return true
  },

  /** Both ends learn of it, the server in its own time. */
  cut(world) {
    const read = [...world.connections].filter((connection) => !connection.isAbandoned)
    if (read.length === 0) return false
    const connection = world.random.pick(read)
    world.tell(() => `${connection.name} is cut from ${connection.node.name}`)
    world.abandon(connection)
    connection.socket?.lose()
    return true
  },

  /** The client is gone and the server does not learn of it, until later or never. */
  vanish(world) {
    const halfOpen = world.openConnections.filter(({ isAbandoned, socket }) => isAbandoned && socket?.isOpen)
    if (halfOpen.length > 0 && world.random.chance(0.5)) {
      world.random.pick(halfOpen).socket?.lose()
      return true
    }
    const read = [...world.connections].filter((connection) => !connection.isAbandoned)
    if (read.length === 0) return false
    const connection = world.random.pick(read)
    world.tell(() => `${connection.name} vanishes`)
    world.abandon(connection)
    return true
  },

  forge(world) {
    const idle = world.clients.filter((client) => !client.gone && !world.connectionOf(client))
    if (idle.length === 0) return false
    const client = world.random.pick(idle)
    const id = forgeId(world)
    world.tell(() => `${client.name} takes the id ${JSON.stringify(id)}`)
    client.takeForgedId(id, world.history.head)
    return true
  },

  evict(world) {
    const { random, log } = world
    const count = log.evict(random.below(log.ruleCount), random.pick([0, 1, 2, 4]))
    if (count > 0) world.tell(() => `${count} events are evicted`)
    return count > 0
  },

  'log-fails'(world) {
    if (world.log.failing) return false
    world.tell(() => 'the log goes away')
    world.log.failing = true
    return true
  },

  'log-heals'(world) {
    if (!world.log.failing) return false
    world.tell(() => 'the log is back')
    world.log.failing = false
    return true
  },

  'tail-breaks'(world) {
    const tail = world.random.pick([...world.log.tails, undefined])
    if (!tail || tail.interrupted) return false
    world.tell(() => `the tail of ${tail.node} is interrupted`)
    world.fire(() => tail.interrupt())
    return true
  },

  'tail-mends'(world) {
    for (const tail of world.log.tails) {
      if (!tail.interrupted) continue
      world.tell(() => `the tail of ${tail.node} is resumed`)
      world.fire(() => tail.resume())
      return true
    }
    return false
  },

  'new-epoch'(world) {
    const count = world.random.pick([0, 1, 3, 10])
    world.log.loseNewest(count, world.random.chance(0.4))
    world.tell(() => `the log loses ${count} events; its head is ${formatEventId(world.history.head)}`)
    return true
  },

  'end-one'(world) {
    const open = world.openConnections.filter(({ socket }) => socket?.isOpen)
    if (open.length === 0) return false
    const connection = world.random.pick(open)
    connection.isEndAsked = true
    const { admission, node } = connection
    world.tell(() => `${node.name} is asked to end ${connection.name}`)
    world.fire(() => {
      if (admission) node.hub.endConnection(admission.connection, world.random.chance(0.5) ? { retryMs: 50 } : {})
    })
    return true
  },

  'change-topics'(world) {
    const open = world.openConnections.filter(
      ({ client, socket, subscriber }) => client.changes && socket?.isOpen && subscriber?.isOpen,
    )
    if (open.length === 0) return false
    changeTopics(world, world.random.pick(open))
    return true
  },

  'node-crash'(world) {
    const node = world.random.pick(world.nodes)
    world.tell(() => `${node.name} crashes`)
    crash(world, node)
    return true
  },

  'node-drain'(world) {
    const nodes = world.nodes.filter((node) => !node.isDraining && node.isReady)
    if (nodes.length === 0 || world.nodes.length > 3) return false
    const node = world.random.pick(nodes)
    world.tell(() => `${node.name} is closed`)
    drain(world, node)
    world.addNode()
    return true
  },
}

function deliverTail(world: World, hole: boolean): boolean {
  const tails = [...world.log.tails].filter((tail) => tail.canDeliver)
  if (tails.length === 0) return false
  const tail = world.random.pick(tails)
  deliverFrom(world, tail, world.random.pick([1, 2, 5, 100]), hole)
  return true
}

/** A tail hands over its next events, at most so many. */
export function deliverFrom(world: World, tail: FakeTail, maxCount: number, hole: boolean): void {
  const before = tail.at
  world.fire(() => {
    const what = tail.deliver(maxCount, world.random, hole)
    world.tell(() => what)
  })
  const count = tail.at.epoch === before.epoch ? tail.at.seq - before.seq : 1
  world.nodes.find(({ name }) => name === tail.node)?.onHanded(tail.at, count)
}

/** An id that a client may come with, though no stream has just given it to it. */
function forgeId(world: World): string {
  const { random, history } = world
  const life = random.pick(history.lives)
  const seqs = [...life.entries.keys(), ...life.marks.keys()]
  const old = formatEventId(history.positionAt(life, random.pick(seqs)))
  return random.weighted<() => string>([
    [5, () => old],
    [1, () => `${old.slice(0, -3)}${random.token(3)}`],
    [1, () => `${history.life.epoch}-${history.life.headSeq + random.between(1, 5)}-${random.token(3)}`],
    [1, () => `zz${random.token(3)}-${random.below(50)}-${random.token(3)}`],
    [
      1,
      () =>
        random.pick([
          'nonsense',
          '0',
          `${history.life.epoch}-01-abc`,
          `${old} `,
          'x'.repeat(500),
          `${history.life.epoch}-9007199254740993-abc`,
          '\u00e9\u0001',
          '1-1-abcd',
          'E-1-abc',
        ]),
    ],
  ])()
}
