import type { EventContent, HubError, HubErrorCode } from '@millrace/server'
import type { FakeNode } from './fake-node.ts'
import type { DrawnEvent } from './scenario.ts'
import { must, Violation } from './violation.ts'
import type { World } from './world.ts'

/** Publishes on a node, and holds the answer against the log when it comes. */
export function publish(world: World, node: FakeNode, events: readonly DrawnEvent[]): void {
  world.tell(() => `${node.name} publishes ${events.map((event) => event.topic).join(' ')}`)
  const beganMs = world.nowMs
  world.pendingPublishes++
  for (const event of events) {
    if (event.ephemeral) world.blips.set((event.data as { blip: number }).blip, event as unknown as EventContent)
  }
  const settled = (check: () => void): void => {
    world.pendingPublishes--
    world.fire(check)
  }
  node.hub.publish(events.length === 1 ? (events[0] as DrawnEvent) : events).then(
    ({ ids }) => settled(() => checkStored(world, ids, events)),
    (error: unknown) => settled(() => checkRefused(world, node, error, beganMs)),
  )
}

/** §11.7: what is acknowledged is in the log, whole and in order. */
function checkStored(world: World, ids: readonly (string | null)[], events: readonly DrawnEvent[]): void {
  const { history } = world
  must(ids.length === events.length, '§11.7', () => `${events.length} events got ${ids.length} ids`)
  for (const [i, id] of ids.entries()) {
    const isEphemeral = events[i]?.ephemeral === true
    must((id === null) === isEphemeral, '§11.7', () => `event ${i} got the id ${id}`)
    if (id === null) continue
    const position = history.truePosition(id)
    const stored = position && history.entryAt(position)?.event
    const { topic, type, data, key, except, end } = events[i] as DrawnEvent
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    const isSame =
      stored?.topic === topic &&
      stored.type === type &&
      stored.data === text &&
      stored.key === key &&
      stored.except === except &&
      stored.end === end
    must(isSame, '§11.7', () => `${id} is acknowledged, but the log has ${JSON.stringify(stored)}`)
  }
}

function checkRefused(world: World, node: FakeNode, error: unknown, beganMs: number): void {
  if (node.hasCrashed) return
  if (!(error instanceof Error) || error.name !== 'HubError') throw error
  const { code } = error as HubError
  world.tell(() => `a publish on ${node.name} is refused: ${code}`)
  const reasons: Partial<Record<HubErrorCode, boolean>> = {
    unavailable: world.logAwayAtMs >= beganMs,
    overloaded: node.hub.stats().lagMs > 0,
    closed: node.isDraining,
  }
  if (!reasons[code]) throw new Violation('§8', `a publish was refused as ${code}, which is not true`)
}
