import { problem, type NodeHub } from '@millrace/node'
import type { FastifyInstance } from 'fastify'
import { sendFault } from './problem-answers.ts'

/**
 * `live`: the process works. `ready`: it follows its log, with what was published last at hand, so that streams and publishers are
 * served, and a crowd that comes back after a restart without each asking the log.
 */
export function addHealthRoutes(app: FastifyInstance, hub: NodeHub): void {
  app.get('/health/live', (_request, reply) => reply.header('Cache-Control', 'no-store').send({ status: 'ok' }))
  app.get('/health/ready', (_request, reply) => {
    const { isFollowing } = hub.stats()
    if (isFollowing) return reply.header('Cache-Control', 'no-store').send({ status: 'ok' })
    return sendFault(reply, problem(503, 'The event log is away, or the hub is closing.', { 'Retry-After': '1' }))
  })
}
