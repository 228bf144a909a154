import { lastEventIdOf } from '../last-event-id.ts'
import { resolveSessionLimits, type Session, type SessionLimits } from '../session.ts'
import { SessionHosts, type SessionFactoryOptions } from '../session-hosts.ts'
import type { StreamHeaders } from '../stream-headers.ts'
import { TransportSession } from '../transport-session.ts'
import { openResponse, streamRequestOf } from './fetch-handler.ts'
import { keepOpen } from './keep-open.ts'

export interface SessionOptions extends Partial<SessionLimits> {
  /** Headers besides those of every stream, and instead of them where they have the same name. @default none */
  readonly headers?: StreamHeaders
  /** What the platform passes besides the request; Bun's lets a stream be silent for longer than 10 s. @default none */
  readonly host?: unknown
}

/** A session, and the response that carries it. */
export interface OpenedSession {
  readonly session: Session
  readonly response: Response
}

/**
 * Opens a stream for a request: headers, a first comment, heartbeats, and clean-up when the client leaves. A client that
 * has left already, and a `HEAD` request, get a session that is about to close.
 *
 * @throws HubError `invalid_option`
 */
export type CreateSession = (request: Request, options?: SessionOptions) => OpenedSession

/** Makes a {@link createSession} of one's own, whose sessions share timers with each other and with nobody else. */
export function sessionFactory(shared: SessionFactoryOptions = {}): CreateSession {
  const hosts = new SessionHosts(shared)
  return (request, { headers = {}, host, ...given } = {}) => {
    const limits = resolveSessionLimits(given)
    const { transport, response } = openResponse(request, headers)
    keepOpen(request, host)
    const lastEventId = lastEventIdOf(streamRequestOf(request))
    const session = new TransportSession(transport, hosts.hostFor(limits.heartbeatMs), limits, lastEventId)
    if (request.method !== 'HEAD') return { session, response }
    // Nobody reads the body of an answer to HEAD.
    void response.body?.cancel()
    session.close()
    return { session, response: new Response(null, { headers: response.headers }) }
  }
}

/**
 * {@link CreateSession} for a whole process: its sessions share one timer, which exists only while there are any; those
 * with a heartbeat below 10 s one more for each such time.
 *
 * @example
 * function answer(request: Request): Response {
 *   const { session, response } = createSession(request)
 *   session.send({ type: 'token', data: 'Hello' })
 *   session.close()
 *   return response
 * }
 */
export const createSession: CreateSession = sessionFactory()
