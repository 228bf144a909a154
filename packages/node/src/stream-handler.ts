import { parseSelector, coversSelector, type Selector } from '@millrace/protocol'
import { HubError, readSubscribeRequest, streamHeadersFor, type Hub, type SubscribeRequest } from '@millrace/server'
import { lastEventId, queryOf } from './last-event-id.ts'
import type { NodeRequest, NodeResponse } from './node-http.ts'
import { openTransport } from './open-transport.ts'
import { problem, sendProblem, type Problem } from './problem.ts'
import { sendWhole } from './send-whole.ts'

/** What a client may see. */
export interface Grant {
  /** Topics and patterns; a stream that names none gets all of these. */
  readonly subscribe: readonly string[]
}

/** Why a client gets no stream. */
export interface Refusal {
  /** 204 stops an `EventSource` for good without an error; 401 and 403 say why. */
  readonly status: 204 | 401 | 403
  /** What was wrong and what to do; not sent with 204. */
  readonly detail?: string
}

/** Decides who gets a stream. What it throws is answered with 500 and not told to the client. */
export type Authorizer = (request: NodeRequest) => Grant | Refusal | Promise<Grant | Refusal>

export interface StreamHandlerOptions {
  /** @default everybody may see all topics but users' own */
  readonly authorize?: Authorizer
  /** Is told of faults that the client is answered 500 for, such as what `authorize` throws. @default they are dropped */
  readonly onError?: (error: unknown, context: string) => void
}

/** Serves streams; any Node framework can call it. The promise never rejects. */
export type StreamHandler = (request: NodeRequest, response: NodeResponse) => Promise<void>

const OPEN: Grant = { subscribe: ['>'] }

/** Makes the handler for `GET` of a hub's streams. */
export function streamHandler(hub: Hub, options: StreamHandlerOptions = {}): StreamHandler {
  return async (request, response) => {
    try {
      await serve(hub, options.authorize, request, response)
    } catch (error) {
      const fault =
        error instanceof HubError && error.code === 'invalid_request' ? problem(400, error.message) : undefined
      if (!fault) options.onError?.(error, 'opening a stream')
      sendProblem(response, fault ?? problem(500, 'The stream could not be opened because of a fault in the server.'))
    }
  }
}

async function serve(
  hub: Hub,
  authorize: Authorizer | undefined,
  request: NodeRequest,
  response: NodeResponse,
): Promise<void> {
  const unfit = methodFault(request) ?? acceptFault(request.headers.accept)
  if (unfit) {
    sendProblem(response, unfit)
    return
  }
  const grant = authorize ? await authorize(request) : OPEN
  if ('status' in grant) {
    refuse(response, grant)
    return
  }
  const asked = readRequest(hub, request, grant)
  const forbidden = asked.selectors.filter((wanted) => !isGranted(grant, wanted))
  if (forbidden.length > 0) {
    sendProblem(response, problem(403, `Not allowed to subscribe to ${forbidden.join(', ')}.`))
    return
  }
  const admission = await hub.admit(asked)
  if (admission.kind === 'accepted') {
    const headers = { 'Millrace-Connection': admission.connection }
    admission.open(openTransport(request, response, { headers }))
    return
  }
  const retryAfter = String(Math.ceil(admission.retryAfterMs / 1000))
  if (request.headers['millrace-client'] === undefined) sendRefusingStream(request, response, admission.body)
  else sendProblem(response, problem(503, reasons[admission.reason], { 'Retry-After': retryAfter }))
}

const reasons = {
  overloaded: 'Delivery lags behind; come again in a moment.',
  draining: 'The server is shutting down; come again in a moment.',
  log_unavailable: 'The event log is away; come again in a moment.',
}

function methodFault(request: NodeRequest): Problem | undefined {
  if (request.method === 'GET') return undefined
  return problem(405, `A stream is opened with GET, not ${String(request.method)}.`, { Allow: 'GET' })
}

/** No `Accept`, a wildcard or the type itself asks for a stream (RFC 9110, 12.5.1). */
function acceptFault(accept: string | undefined): Problem | undefined {
  if (!accept || /(^|,)\s*(text\/event-stream|text\/\*|\*\/\*)\s*(;|,|$)/i.test(accept)) return undefined
  if (/(^|,)\s*application\/json\s*(;|,|$)/i.test(accept)) {
    return problem(400, 'Polling (Accept: application/json) is not built yet. Ask for text/event-stream.')
  }
  return problem(406, `Accept is ${JSON.stringify(accept.slice(0, 100))}; this is text/event-stream.`)
}

function readRequest(hub: Hub, request: NodeRequest, grant: Grant): SubscribeRequest {
  return readSubscribeRequest(queryOf(request), lastEventId(request), {
    defaultSelectors: grant.subscribe.map((text) => parseSelector(text)),
    maxTopicsPerStream: hub.limits.maxTopicsPerStream,
  })
}

function isGranted(grant: Grant, wanted: Selector): boolean {
  return grant.subscribe.some((granted) => coversSelector(parseSelector(granted), wanted))
}

function refuse(response: NodeResponse, { status, detail = 'No stream for this client.' }: Refusal): void {
  if (status === 204) sendWhole(response, status, { 'Cache-Control': 'no-store' })
  else sendProblem(response, problem(status, detail))
}

/** Any status but 200 would end a native `EventSource` for good, so a passing refusal is a stream that ends. */
function sendRefusingStream(request: NodeRequest, response: NodeResponse, body: string): void {
  const connection = request.httpVersionMajor === 1 ? { Connection: 'close' } : {}
  sendWhole(response, 200, { ...streamHeadersFor(request.httpVersion), ...connection }, body)
}
