import { problem, type Problem } from '@millrace/node'
import type { FastifyInstance, FastifyRequest, HTTPMethods } from 'fastify'
import { answerUnread } from './answer-unread.ts'
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
  // Before the body is read: what is wrong with it does not matter where nobody wants it.
  app.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return
    const fault = notFoundFault(app, request)
    if (hasBody(request)) answerUnread(request, reply, fault)
    else await sendFault(reply, fault)
  })
  // For routes that find out by themselves that they have nothing.
  app.setNotFoundHandler((request, reply) => sendFault(reply, notFoundFault(app, request)))
}

function notFoundFault(app: FastifyInstance, { method, url: target }: FastifyRequest): Problem {
  const [path = ''] = target.split('?')
  const allowed = METHODS.filter((each) => app.findRoute({ method: each, url: path }) !== null)
  if (path === '/events') allowed.unshift('GET')
  if (path === '/events/stream') allowed.unshift('POST')
  const shown = JSON.stringify(path.slice(0, 100))
  if (allowed.length === 0) {
    return problem(404, `There is nothing at ${shown}. Events are published to and streamed from "/events".`)
  }
  const names = allowed.join(', ')
  return problem(405, `${method} is not for ${shown}; use ${names}.`, { Allow: names })
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
