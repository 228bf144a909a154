import { decideStream, faultAnswer, type StreamHandlerOptions, type WholeAnswer } from '../decide-stream.ts'
import { checkHandlerOptions } from '../handler-options.ts'
import type { Hub } from '../hub.ts'
import { streamHeaders, type StreamHeaders } from '../stream-headers.ts'
import type { StreamRequest } from '../stream-request.ts'
import { FetchTransport } from './fetch-transport.ts'
import { keepOpen } from './keep-open.ts'
import { readBody } from './read-body.ts'

/**
 * Serves streams wherever a request is answered with a `Response`: Bun, Deno, workers, Hono, Next, SvelteKit and others.
 * The promise never rejects. `host` is what the platform passes besides; Bun's lets a stream be silent for longer than 10 s.
 */
export type FetchHandler = (request: Request, host?: unknown) => Promise<Response>

/** Makes the web-standard handler for `GET` of a hub's streams. @throws HubError `invalid_option` */
export function fetchHandler(hub: Hub, options: StreamHandlerOptions = {}): FetchHandler {
  checkHandlerOptions(options)
  return async (request, host) => {
    const decision = await decideStream(hub, streamRequestOf(request), request, options)
    if (decision.kind === 'whole') return wholeResponse(decision)
    if (decision.kind === 'sent-away') return new Response(decision.body, { headers: streamHeaders })
    try {
      const { transport, response } = openResponse(request, decision.headers)
      keepOpen(request, host)
      decision.open(transport)
      return response
    } catch (error) {
      return wholeResponse(faultAnswer(error, options.onError))
    }
  }
}

/** Starts a stream as the body of a response, with the headers of every stream and `headers` instead of or besides them. */
export function openResponse(
  { signal }: Request,
  headers: StreamHeaders,
): { readonly transport: FetchTransport; readonly response: Response } {
  const transport = new FetchTransport(signal)
  const head = new Headers(streamHeaders)
  for (const [name, value] of Object.entries(headers)) head.set(name, value)
  return { transport, response: new Response(transport.body, { headers: head }) }
}

/** A web-standard request as the policy of streams reads it. */
export function streamRequestOf(request: Request): StreamRequest {
  const { method, url, headers, signal } = request
  const start = url.indexOf('?')
  return {
    method,
    path: new URL(url).pathname,
    // What is behind a hash is no part of the query.
    query: start === -1 ? '' : url.slice(start + 1).replace(/#.*$/, ''),
    signal,
    header: (name) => headers.get(name) ?? undefined,
    body: (maxBytes) => readBody(request.body, maxBytes),
  }
}

function wholeResponse({ status, headers, body }: WholeAnswer): Response {
  return new Response(body ?? null, { status, headers })
}
