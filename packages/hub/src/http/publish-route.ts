import { problem, type NodeHub } from '@millrace/node'
import { HubError } from '@millrace/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingHttpHeaders } from 'node:http'
import { fixedLimits } from './fixed-limits.ts'
import { publishFailureOf, RequestFault } from './problem-answers.ts'
import { publishLines, type PublishLinesOptions } from './publish-lines.ts'
import { firstInvalid, invalid, readEvent, readJson } from './read-event.ts'

const MAX_BATCH = fixedLimits.maxBatchCount
const EMPTY = 'The body is empty. Send {"topic": "...", "data": ...} as application/json.'
const LINES_TYPE = /^application\/x-ndjson\s*(?:;|$)/i

const decoder = new TextDecoder('utf-8', { fatal: true })

/** `POST /events`: one event or an array, stored all or none; or one event a line, stored as they come. */
export function addPublishRoute(app: FastifyInstance, hub: NodeHub, options: PublishLinesOptions): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, readBody(body as Buffer))
    } catch (error) {
      done(error as Error, undefined)
    }
  })
  // Read by the route, as it arrives.
  app.addContentTypeParser('application/x-ndjson', (_request, _body, done) => done(null))
  const hooks = {
    onRequest: async ({ headers }: FastifyRequest) => checkCoding(headers),
    onError: async ({ body }: FastifyRequest, _reply: FastifyReply, error: Error) =>
      // Of what could not be read nobody knows how many events it has.
      options.counts.onNotPublished(publishFailureOf(error), Array.isArray(body) ? body.length : 1),
  }
  app.post('/events', hooks, async (request, reply) => {
    if (LINES_TYPE.test(request.headers['content-type'] ?? '')) {
      reply.hijack()
      await publishLines(hub, request.raw, reply.raw, options)
      return
    }
    return { ids: await publishBody(hub, request) }
  })
}

async function publishBody(hub: NodeHub, { body }: FastifyRequest): Promise<readonly (string | null)[]> {
  if (body === undefined) throw invalid(EMPTY)
  if (!Array.isArray(body)) return (await hub.publish(readEvent(body, 'The event'))).ids
  const values = body as unknown[]
  if (values.length > MAX_BATCH)
    throw invalid(`${values.length} events are too many for one request; send at most ${MAX_BATCH}.`)
  const events = values.map((value, i) => readEvent(value, `Event ${i}`))
  try {
    return (await hub.publish(events)).ids
  } catch (error) {
    const index = error instanceof HubError ? firstInvalid(events, hub.limits.maxEventBytes) : undefined
    if (index === undefined) throw error
    const { code, message } = error as HubError
    throw new HubError(code, `Event ${index}: ${message}`, { cause: error })
  }
}

/** What the body claims to be, before it is read. */
function checkCoding({ 'content-encoding': coding }: IncomingHttpHeaders): void {
  if (coding === undefined || coding.toLowerCase() === 'identity') return
  const shown = JSON.stringify(coding.slice(0, 64))
  throw new RequestFault(problem(415, `Content-Encoding is ${shown}. Send the body as it is.`))
}

function readBody(body: Buffer): unknown {
  if (body.length === 0) throw invalid(EMPTY)
  let text: string
  try {
    text = decoder.decode(body)
  } catch {
    throw invalid('The body is not valid UTF-8.')
  }
  return readJson(text, 'The body')
}
