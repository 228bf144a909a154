import {
  checkHandlerOptions,
  decideStream,
  faultAnswer,
  streamHeadersFor,
  type Authorizer as AuthorizerOf,
  type Hub,
  type StreamDecision,
  type StreamHandlerOptions as StreamHandlerOptionsOf,
  type StreamRequest,
} from '@millrace/server'
import type { NodeRequest, NodeResponse } from './node-http.ts'
import { openTransport } from './open-transport.ts'
import { readBody } from './read-body.ts'
import { sendAnswer, sendWhole } from './send-whole.ts'

/** Decides who gets a stream. What it throws is answered with 500 and not told to the client. */
export type Authorizer = AuthorizerOf<NodeRequest>

export type StreamHandlerOptions = StreamHandlerOptionsOf<NodeRequest>

/** Serves streams; any Node framework can call it. The promise never rejects. */
export type StreamHandler = (request: NodeRequest, response: NodeResponse) => Promise<void>

/** Makes the handler for `GET` of a hub's streams. @throws HubError `invalid_option` */
export function streamHandler(hub: Hub, options: StreamHandlerOptions = {}): StreamHandler {
  checkHandlerOptions(options)
  return async (request, response) => {
    const decision = await decideStream(hub, streamRequestOf(request, response), request, options)
    try {
      carryOut(decision, request, response)
    } catch (error) {
      sendAnswer(response, faultAnswer(error, options.onError))
    }
  }
}

function carryOut(decision: StreamDecision, request: NodeRequest, response: NodeResponse): void {
  if (decision.kind === 'whole') sendAnswer(response, decision)
  else if (decision.kind === 'sent-away') sendAway(request, response, decision.body)
  else decision.open(openTransport(request, response, { headers: decision.headers }))
}

/** A stream that is over, and its connection with it. */
function sendAway(request: NodeRequest, response: NodeResponse, body: string): void {
  const connection = request.httpVersionMajor === 1 ? { Connection: 'close' } : {}
  sendWhole(response, 200, { ...streamHeadersFor(request.httpVersion), ...connection }, body)
}

/** A request of Node's as the policy of streams reads it. */
export function streamRequestOf(request: NodeRequest, response?: NodeResponse): StreamRequest {
  const { method = '', url = '', headers } = request
  const start = url.indexOf('?')
  return {
    method,
    path: start === -1 ? url : url.slice(0, start),
    query: start === -1 ? '' : url.slice(start + 1),
    get signal() {
      return signalOf(response)
    },
    body: (maxBytes) => readBody(request, maxBytes),
    header(name) {
      const value = headers[name]
      return Array.isArray(value) ? value.join() : value
    },
  }
}

/** Aborted when the client leaves before it is answered. */
function signalOf(response: NodeResponse | undefined): AbortSignal {
  const leaving = new AbortController()
  // Who listens late hears nothing.
  if (response?.destroyed) leaving.abort()
  else response?.once('close', () => leaving.abort())
  return leaving.signal
}
