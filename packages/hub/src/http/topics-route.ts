import type { StreamHandler } from '@millrace/node'
import type { FastifyInstance } from 'fastify'

/** `PUT /events/{connection}/topics`: replaces the topics of an open stream. The handler of streams answers it. */
export function addTopicsRoute(app: FastifyInstance, handleStream: StreamHandler): void {
  app.route({
    method: 'PUT',
    url: '/events/:connection/topics',
    // Before the body is read: the handler reads it by itself.
    onRequest: async (request, reply) => {
      reply.hijack()
      await handleStream(request.raw, reply.raw)
    },
    handler: () => undefined,
  })
}
