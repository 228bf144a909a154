import { problem } from '@millrace/node'
import type { FastifyInstance, HTTPMethods } from 'fastify'
import { sendFault } from './problem-answers.ts'

/** What the interface has and this version does not build: says so instead of 404. */
const NOT_BUILT: readonly (readonly [HTTPMethods, string])[] = [
  ['POST', '/events/:connection/authorization'],
  ['POST', '/tickets'],
  ['GET', '/presence'],
  ['POST', '/admin/revoke'],
  ['GET', '/.well-known/mercure'],
  ['POST', '/.well-known/mercure'],
]
const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE']

export function addUnbuiltRoutes(app: FastifyInstance, options: { readonly hasPage: boolean }): void {
  const dashboard = ['GET', '/'] as const
  for (const [method, url] of options.hasPage ? NOT_BUILT : [...NOT_BUILT, dashboard]) {
    app.route({
      method,
      url,
      // Before the body is read: its type does not matter.
      onRequest: async (_request, reply) => {
        const hint = url === '/' ? ' It will be the dashboard; start the hub with --demo to see the demo here.' : ''
        await sendFault(reply, problem(400, `${method} ${url} is not built yet.${hint}`))
      },
      handler: () => undefined,
    })
  }
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?')
    const allowed = METHODS.filter((method) => app.findRoute({ method, url: path }) !== null)
    if (path === '/events') allowed.unshift('GET')
    if (path === '/events/stream') allowed.unshift('POST')
    const shown = JSON.stringify(path.slice(0, 100))
    if (allowed.length === 0)
      return sendFault(
        reply,
        problem(404, `There is nothing at ${shown}. Events are published to and streamed from "/events".`),
      )
    const names = allowed.join(', ')
    return sendFault(reply, problem(405, `${request.method} is not for ${shown}; use ${names}.`, { Allow: names }))
  })
}
