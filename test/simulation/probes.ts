import { formatEventId, parseSelector } from '@millrace/protocol'
import { calmDown } from './calm.ts'
import { drain } from './node-end.ts'
import { publish } from './publication.ts'
import { drawEvents } from './scenario.ts'
import { must } from './violation.ts'
import { isStateTopic, wantsOf } from './wants.ts'
import type { World } from './world.ts'

/** When all is well and quiet, the answer to each kind of id is known exactly. */
export async function probe(world: World): Promise<void> {
  world.tell(() => '--- probes')
  world.isProbing = true
  const { history, random } = world
  const { life } = history
  const head = formatEventId(history.head)
  const everything = ['>', '@alice', '@bob'].map((text) => parseSelector(text))
  const ask = async (
    id: string,
    from: 'now' | 'earliest',
  ): Promise<{ events: number; notices: number; caughtUps: number }> => {
    const wants = wantsOf({
      selectors: everything,
      types: [],
      from,
      nameBy: 'type',
      envelope: false,
      slowPolicy: 'catch-up',
    })
    const client = world.addClient(wants)
    client.lastEventId = id
    client.ledger.present(id)
    await calmDown(world)
    client.gone = true
    const connection = world.connectionOf(client)
    if (!connection) throw new Error('a probe has no connection')
    world.abandon(connection)
    connection.socket?.lose()
    world.fire(() => world.notify(connection))
    const { ledger, caughtUps, idsSinceConnected } = connection.watch
    return { events: idsSinceConnected, notices: ledger.notices, caughtUps }
  }
  const evictedTo = Math.max(
    -1,
    ...[...life.entries].filter(([, { evicted, event }]) => evicted && !isStateTopic(event.topic)).map(([seq]) => seq),
  )
  const { maxReplayCount } = world.scenario.limits
  const kept = [...life.entries].filter(([seq, { event }]) => seq > evictedTo && !isStateTopic(event.topic))
  // A replay that would be too long ends with a notice.
  const isTooFar = maxReplayCount !== false && kept.length > maxReplayCount
  const replayed = isTooFar ? maxReplayCount : kept.length
  const tooFars = isTooFar ? 1 : 0
  const fresh = await ask('', 'now')
  must(fresh.events === 0 && fresh.notices === 0, '§6', () => `from=now began with ${JSON.stringify(fresh)}`)
  const all = await ask('', 'earliest')
  must(
    all.events === replayed && all.notices === tooFars,
    '§6',
    () => `from=earliest gave ${JSON.stringify(all)} of ${replayed}`,
  )
  const same = await ask(head, 'now')
  must(
    same.events === 0 && same.notices === 0 && same.caughtUps === 1,
    '§6',
    () => `the head gave ${JSON.stringify(same)}`,
  )
  for (const [what, id] of [
    ['unknown', 'nonsense'],
    ['ahead', `${life.epoch}-${life.headSeq + 7}-abc`],
    ['foreign', 'zzz-1-abc'],
  ] as const) {
    const from = random.chance(0.5) ? 'now' : 'earliest'
    const bad = await ask(id, from)
    const owed = from === 'now' ? 0 : replayed
    must(
      bad.notices === 1 + (from === 'now' ? 0 : tooFars) && bad.events === owed,
      '§6',
      () => `${what} id, from=${from}: ${JSON.stringify(bad)} of ${owed}`,
    )
  }
  publish(world, world.nodes[0] ?? world.addNode(), drawEvents(random, world.scenario, world))
  await calmDown(world)
}

/** Everybody leaves; then nothing may be left of them, and after closing nothing of the hub. */
export async function leave(world: World): Promise<void> {
  world.tell(() => '--- everybody leaves')
  for (const client of world.clients) client.gone = true
  for (const reader of world.readers) {
    reader.gone = true
    reader.leave(world)
  }
  for (const connection of world.connections) {
    world.abandon(connection)
    connection.socket?.lose()
    world.fire(() => world.notify(connection))
  }
  await calmDown(world)
  // What is tried again after a while, such as a read of the log, has its time.
  await world.advance(500, true)
  await calmDown(world)
  for (const node of world.nodes) {
    const { subscribers, audiences, indexEntries, pendingCatchUps, pendingReads } = node.hub.stats()
    const left = { subscribers, audiences, indexEntries, pendingCatchUps, pendingReads }
    must(
      Object.values(left).every((count) => count === 0),
      '§11.8',
      () => `everybody left, and there is ${JSON.stringify(left)}`,
    )
    must(
      node.clock.timerCount === 0,
      '§11.8',
      () => `everybody left, and ${node.clock.timerCount} timers run on ${node.name}`,
    )
  }
  const closing = [...world.nodes]
  for (const node of closing) drain(world, node)
  await calmDown(world)
  for (const node of closing) must(node.hasClosed, '§11.8', () => `${node.name} has not closed`)
}
