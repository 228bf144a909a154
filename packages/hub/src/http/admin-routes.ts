import { problem, type NodeHub } from '@millrace/node'
import { formatEventId } from '@millrace/protocol'
import type { Subscriber } from '@millrace/server'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isLoopbackAddress } from './open-hub-guard.ts'
import { RequestFault } from './problem-answers.ts'

/** Who is connected, and how to end a stream. On an open hub, from this machine only. */
export function addAdminRoutes(app: FastifyInstance, hub: NodeHub): void {
  app.get('/admin/connections', (request) => {
    checkAccess(request)
    const nowMs = performance.now()
    return { connections: Array.from(hub.subscribers(), (subscriber) => describe(subscriber, nowMs)) }
  })
  app.delete('/admin/connections/:id', (request, reply) => {
    checkAccess(request)
    const { id } = request.params as { id: string }
    if (!hub.endConnection(id))
      throw new RequestFault(problem(404, `There is no connection ${JSON.stringify(id.slice(0, 64))}.`))
    return reply.code(204).send()
  })
}

function checkAccess(request: FastifyRequest): void {
  if (isLoopbackAddress(request.socket.remoteAddress)) return
  throw new RequestFault(problem(403, 'On an open hub the administration is for this machine only.'))
}

function describe(subscriber: Subscriber, nowMs: number): Record<string, unknown> {
  const { state, position, request } = subscriber
  return {
    id: subscriber.connection,
    state: state.name,
    reason: 'why' in state ? state.why : 'reason' in state ? state.reason : null,
    uptimeMs: Math.round(nowMs - subscriber.openedAtMs),
    topics: request.selectors,
    types: request.types,
    events: subscriber.events,
    bytes: subscriber.bytes,
    bufferedBytes: subscriber.bufferedBytes,
    position: position ? formatEventId(position) : null,
    lag: subscriber.lag,
  }
}
