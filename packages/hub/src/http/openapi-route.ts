import type { FastifyInstance } from 'fastify'
import { openApi } from '../openapi/paths.ts'
import { hubVersion } from '../hub-version.ts'

/** `GET /openapi.json`: this interface, for programs. */
export function addOpenApiRoute(app: FastifyInstance): void {
  const document = JSON.stringify(openApi(hubVersion()))
  app.get('/openapi.json', (_request, reply) => reply.type('application/json').send(Buffer.from(document)))
}
