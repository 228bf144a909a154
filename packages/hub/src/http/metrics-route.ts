import type { FastifyInstance } from 'fastify'
import type { HubMetrics } from '../observe/hub-metrics.ts'

/** `GET /metrics`: what `docs/metrics.md` lists, in the text format of Prometheus. */
export function addMetricsRoute(app: FastifyInstance, metrics: HubMetrics): void {
  app.get('/metrics', async (_request, reply) =>
    reply
      .type(metrics.contentType)
      .header('Cache-Control', 'no-store')
      .send(Buffer.from(await metrics.text())),
  )
}
