import {
  lastEventIdOf,
  resolveSessionLimits,
  SessionHosts,
  TransportSession,
  type Session,
  type SessionFactoryOptions,
  type SessionLimits,
  type StreamHeaders,
} from '@millrace/server'
import type { NodeRequest, NodeResponse } from './node-http.ts'
import { openTransport } from './open-transport.ts'
import { streamRequestOf } from './stream-handler.ts'

export interface SessionOptions extends Partial<SessionLimits> {
  /** Headers besides those of every stream, and instead of them where they have the same name. @default none */
  readonly headers?: StreamHeaders
}

/**
 * Opens a stream on a response: headers, a first comment, heartbeats, and clean-up when the client leaves. A client
 * that has left already, and a `HEAD` request, get a session that is about to close.
 *
 * @throws HubError `invalid_option`, before anything was sent
 */
export type CreateSession = (request: NodeRequest, response: NodeResponse, options?: SessionOptions) => Promise<Session>

/** Makes a {@link createSession} of one's own, whose sessions share timers with each other and with nobody else. */
export function sessionFactory(shared: SessionFactoryOptions = {}): CreateSession {
  const hosts = new SessionHosts(shared)
  const defaultLimits = resolveSessionLimits({})
  return async (request, response, { headers, ...given } = {}) => {
    const limits = Object.keys(given).length > 0 ? resolveSessionLimits(given) : defaultLimits
    const transport = openTransport(request, response, headers ? { headers } : {})
    const lastEventId = lastEventIdOf(streamRequestOf(request))
    const session = new TransportSession(transport, hosts.hostFor(limits.heartbeatMs), limits, lastEventId)
    if (request.method === 'HEAD') session.close()
    return session
  }
}

/**
 * {@link CreateSession} for a whole process: its sessions share one timer, which exists only while there are any; those
 * with a heartbeat below 10 s one more for each such time.
 *
 * @example
 * app.get('/clock', async (request, response) => {
 *   const session = await createSession(request, response)
 *   const timer = setInterval(() => session.send({ type: 'tick', data: { at: Date.now() } }), 1000)
 *   await session.closed
 *   clearInterval(timer)
 * })
 */
export const createSession: CreateSession = sessionFactory()
