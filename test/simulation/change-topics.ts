import type { Connection } from './connection.ts'
import { drawRequest } from './scenario.ts'
import { must } from './violation.ts'
import { wantsOf } from './wants.ts'
import type { World } from './world.ts'

/** A client asks for other topics on its open stream. */
export function changeTopics(world: World, connection: Connection): void {
  const { client, node, watch, subscriber, admission } = connection
  if (!subscriber || !admission || watch.secret === undefined) return
  const { selectors } = drawRequest(world.random, world.scenario)
  const from = world.random.pick(['now', 'snapshot'] as const)
  const revision = ++client.revision
  const at = subscriber.state.name === 'live' ? subscriber.position : subscriber.reading?.position
  const isJumping = subscriber.reading?.skip !== undefined
  world.tell(() => `${client.name} asks for ${selectors.join(',')} from ${from}, where it is at ${at?.seq}`)
  client.wants = wantsOf({ ...client.wants.request, selectors })
  watch.ledger.changeWants(client.wants, at, isJumping ? 'now' : from)
  watch.expectTopics(selectors, revision)
  const change = { selectors, revision, from, owner: { secret: watch.secret } }
  const { kind } = node.hub.changeTopics(admission.connection, change)
  must(kind === 'changed', '§8', () => `${client.name} is answered ${kind}`)
}
