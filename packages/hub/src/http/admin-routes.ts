import { problem, type NodeHub } from '@millrace/node'
import { formatEventId } from '@millrace/protocol'
import type { Backend, Subscriber } from '@millrace/server'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { HubCounts } from '../observe/hub-counts.ts'
import { reportStats } from './admin-stats.ts'
import { reportTopics } from './admin-topics.ts'
import { isLoopbackAddress, isLoopbackHost } from './open-hub-guard.ts'
import { RequestFault } from './problem-answers.ts'

/** How the hub is, who is connected, what it knows, and how to end a stream. On an open hub, from this machine only. */
export function addAdminRoutes(app: FastifyInstance, hub: NodeHub, backend: Backend, counts: HubCounts): void {
  app.get('/admin/stats', (request) => {
    checkAccess(request)
    return reportStats(hub, counts)
  })
  app.get('/admin/topics', (request) => {
    checkAccess(request)
    return reportTopics(hub, backend, counts.topics, request.query as Record<string, unknown>)
  })
  app.get('/admin/connections', (request) => {
    checkAccess(request)
    return { connections: Array.from(hub.subscribers(), describe) }
  })
  app.route({
    method: 'DELETE',
    url: '/admin/connections/:id',
    // Before the body is read, which many a client says to have although there is none.
    onRequest: async (request, reply) => {
      checkAccess(request)
      const { id } = request.params as { id: string }
      if (!hub.endConnection(id))
        throw new RequestFault(problem(404, `There is no connection ${JSON.stringify(id.slice(0, 64))}.`))
      await reply.code(204).send()
    },
    handler: () => undefined,
  })
}

/** What proxies add (RFC 7239; RFC 9110, 7.6.3): the peer is then not who asks. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'via']

/**
 * Only who is on this machine gets in. `--insecure` changes nothing here: a page elsewhere may make a name of its own
 * point to this machine (`Host` tells), and a proxy on this machine speaks for anybody.
 */
function checkAccess({ headers, socket }: FastifyRequest): void {
  const proxyHeader = PROXY_HEADERS.find((name) => headers[name] !== undefined)
  if (isLoopbackAddress(socket.remoteAddress) && isLoopbackHost(headers.host) && proxyHeader === undefined) return
  const why = proxyHeader === undefined ? '' : ` The request came through a proxy: it has the header ${proxyHeader}.`
  throw new RequestFault(
    problem(
      403,
      `On an open hub the administration is for this machine only: ask it at localhost or 127.0.0.1, without a proxy.${why}`,
    ),
  )
}

function describe(subscriber: Subscriber): Record<string, unknown> {
  const { state, position, request } = subscriber
  return {
    id: subscriber.connection,
    protocol: subscriber.protocol,
    peer: subscriber.peer ?? null,
    state: state.name,
    reason: 'why' in state ? state.why : 'reason' in state ? state.reason : null,
    uptimeMs: Math.round(subscriber.ageMs),
    topics: request.selectors,
    types: request.types,
    events: subscriber.events,
    bytes: subscriber.bytes,
    bufferedBytes: subscriber.bufferedBytes,
    position: position ? formatEventId(position) : null,
    lag: subscriber.lag,
  }
}
