import { parseSelector, userTopic } from '@millrace/protocol'
import { acceptedKind, type AcceptedKind } from './accepted-kind.ts'
import { answerTopicsChange, connectionOf } from './answer-topics-change.ts'
import type { Authorizer, Grant, Refusal } from './grant.ts'
import { grantFault } from './granted.ts'
import type { Hub } from './hub.ts'
import { HubError } from './hub-error.ts'
import { headerIdOf } from './last-event-id.ts'
import { problem, problemBody, PROBLEM_TYPE, type Problem } from './problem.ts'
import type { PollAnswer } from './poll.ts'
import { pollText } from './poll-text.ts'
import { BodyFault } from './read-json-body.ts'
import { readParameters } from './read-parameters.ts'
import { readPollOptions } from './read-poll-options.ts'
import { readSubscribeRequest } from './read-subscribe-request.ts'
import type { StreamHeaders } from './stream-headers.ts'
import type { StreamRequest } from './stream-request.ts'
import type { Subscriber } from './subscriber.ts'
import type { SubscribeRequest } from './subscribe-request.ts'
import type { Transport } from './transport.ts'

/** Options of every handler of streams; `Asked` is what its platform calls a request. */
export interface StreamHandlerOptions<Asked = Request> {
  /** @default everybody may see all topics but users' own */
  readonly authorize?: Authorizer<Asked>
  /** Is told of faults that the client is answered 500 for, such as what `authorize` throws. @default they are dropped */
  readonly onError?: (error: unknown, context: string) => void
}

/** An answer that is sent whole. */
export interface WholeAnswer {
  readonly kind: 'whole'
  readonly status: number
  readonly headers: StreamHeaders
  /** Undefined: there is none, as with status 204. */
  readonly body: string | undefined
}

/** What a handler is to do with a request. */
export type StreamDecision =
  | {
      readonly kind: 'stream'
      /** Besides those of every stream. */
      readonly headers: StreamHeaders
      /** Opens the stream on a transport whose response head is on its way. To be called once. */
      open(transport: Transport): Subscriber
    }
  | {
      /** A stream of which this is all: for clients that cannot read statuses, and shall come again. */
      readonly kind: 'sent-away'
      readonly body: string
    }
  | WholeAnswer

const OPEN: Grant = { subscribe: ['>'] }

/** Of every answer that is sent whole: another `Accept` may get another one, of the same status or not. */
const WHOLE_HEADERS: StreamHeaders = { 'Cache-Control': 'no-store', Vary: 'Accept, Origin' }

const reasons = {
  overloaded: 'Delivery lags behind; come again in a moment.',
  draining: 'The server is shutting down; come again in a moment.',
  log_unavailable: 'The event log is away; come again in a moment.',
}

/**
 * Decides what a request for a stream, or for other topics of an open one, is answered with: the policy of all handlers, which differ only in how they carry
 * it out. `asked` is the request as `authorize` knows it. Never rejects.
 */
export async function decideStream<Asked>(
  hub: Hub,
  request: StreamRequest,
  asked: Asked,
  { authorize, onError }: StreamHandlerOptions<Asked>,
): Promise<StreamDecision> {
  try {
    const connection = request.method === 'PUT' ? connectionOf(request.path) : undefined
    const unfit = connection === undefined ? methodFault(request.method) : undefined
    if (unfit) return problemAnswer(unfit)
    const accept = request.header('accept')
    const wanted = acceptedKind(accept)
    if (!wanted && connection === undefined) return problemAnswer(acceptFault(accept))
    const grant = authorize ? await authorize(asked) : OPEN
    if ('status' in grant) return refusalAnswer(grant)
    if (connection === undefined) return await admit(hub, request, wanted ?? 'stream', grant)
    const answer = await answerTopicsChange(hub, request, connection, grant)
    return 'kind' in answer ? answer : problemAnswer(answer)
  } catch (error) {
    const fault = faultOf(error)
    return fault ? problemAnswer(fault) : faultAnswer(error, onError)
  }
}

/** What a client is told of a fault that is none of its own, which goes to `onError`. */
export function faultAnswer(error: unknown, onError: StreamHandlerOptions['onError']): WholeAnswer {
  onError?.(error, 'opening a stream')
  return problemAnswer(problem(500, 'The stream could not be opened because of a fault in the server.'))
}

/** A problem as an answer. */
export function problemAnswer(fault: Problem): WholeAnswer {
  return {
    kind: 'whole',
    status: fault.status,
    headers: { ...fault.headers, ...WHOLE_HEADERS, 'Content-Type': PROBLEM_TYPE },
    body: problemBody(fault),
  }
}

/** The problem that an error is for a client that has caused it, or may come again. */
function faultOf(error: unknown): Problem | undefined {
  if (error instanceof BodyFault) return problem(error.status, error.message)
  if (!(error instanceof HubError)) return undefined
  if (error.code === 'invalid_request') return problem(400, error.message)
  const isPassing = error.code === 'unavailable' || error.code === 'closed'
  return isPassing ? problem(503, error.message, { 'Retry-After': '1' }) : undefined
}

async function admit(hub: Hub, request: StreamRequest, kind: AcceptedKind, grant: Grant): Promise<StreamDecision> {
  const parameters = await readParameters(request)
  const wanted = readRequest(hub, request, parameters, grant)
  const fault = grantFault(grant, wanted.selectors)
  if (fault) return problemAnswer(fault)
  const admission = await hub.admit(wanted)
  if (admission.kind === 'accepted' && kind === 'json') {
    return pollAnswer(await hub.poll(wanted, readPollOptions(parameters, request.signal)))
  }
  if (admission.kind === 'accepted') {
    const headers = { 'Millrace-Connection': admission.connection }
    return { kind: 'stream', headers, open: (transport) => admission.open(transport) }
  }
  if (admission.kind === 'finished') return noContent()
  // Any status but 200 would end a native `EventSource` for good, so a passing refusal is a stream that ends.
  if (kind === 'stream' && request.header('millrace-client') === undefined)
    return { kind: 'sent-away', body: admission.body }
  const retryAfter = String(Math.ceil(admission.retryAfterMs / 1000))
  return problemAnswer(problem(503, reasons[admission.reason], { 'Retry-After': retryAfter }))
}

function methodFault(method: string): Problem | undefined {
  if (method === 'GET' || method === 'POST') return undefined
  return problem(405, `A stream is opened with GET or POST, not ${method}.`, { Allow: 'GET, POST' })
}

function acceptFault(accept = ''): Problem {
  const shown = JSON.stringify(accept.slice(0, 100))
  return problem(406, `Accept is ${shown}; this is text/event-stream, or application/json for polling.`)
}

function pollAnswer(answer: PollAnswer): WholeAnswer {
  const headers = { ...WHOLE_HEADERS, 'Content-Type': 'application/json' }
  return { kind: 'whole', status: 200, headers, body: pollText(answer) }
}

function readRequest(hub: Hub, request: StreamRequest, parameters: URLSearchParams, grant: Grant): SubscribeRequest {
  const { user, slowPolicy } = grant
  const own = user === undefined ? [] : [userTopic(user)]
  const granted = grant.subscribe.filter((text) => !text.startsWith('@')).map((text) => parseSelector(text))
  const wanted = readSubscribeRequest(parameters, headerIdOf(request), {
    defaultSelectors: [...granted, ...own],
    maxTopicsPerStream: hub.limits.maxTopicsPerStream,
    user,
  })
  return { ...wanted, user, slowPolicy }
}

function refusalAnswer({ status, detail = 'No stream for this client.' }: Refusal): WholeAnswer {
  return status === 204 ? noContent() : problemAnswer(problem(status, detail))
}

/** Stops a client for good. */
function noContent(): WholeAnswer {
  return { kind: 'whole', status: 204, headers: WHOLE_HEADERS, body: undefined }
}
