import { PROBLEM_TYPE } from '@millrace/node'
import type { FastifyInstance } from 'fastify'
import type { Demo } from '../demo/demo.ts'

/** Serves the demo's page and what it asks for. */
export function addDemoRoutes(app: FastifyInstance, demo: Demo): void {
  for (const path of demo.assets.paths) {
    app.get(path, (request, reply) => {
      const asset = demo.assets.find(path)
      if (!asset) return reply.callNotFound()
      void reply.headers(asset.headers)
      if (request.headers['if-none-match'] === asset.headers['ETag']) return reply.code(304).send()
      return reply.send(asset.body)
    })
  }
  for (const { method, path, handle } of demo.routes) {
    app.route({
      method,
      url: path,
      handler: async (request, reply) => {
        const { status, body } = await handle(request.body)
        void reply.code(status).header('Cache-Control', 'no-store')
        return status >= 400 ? reply.type(PROBLEM_TYPE).send(JSON.stringify(body)) : reply.send(body)
      },
    })
  }
}
