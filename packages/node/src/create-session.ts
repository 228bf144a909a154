import {
  resolveSessionLimits,
  Sweep,
  systemChance,
  systemClock,
  TransportSession,
  type Chance,
  type Clock,
  type Session,
  type SessionLimits,
  type StreamHeaders,
} from '@millrace/server'
import { lastEventId } from './last-event-id.ts'
import type { NodeRequest, NodeResponse } from './node-http.ts'
import { openTransport } from './open-transport.ts'

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

/** What the sessions of one {@link CreateSession} share. */
export interface SessionFactoryOptions {
  /** @default the machine's clock */
  readonly clock?: Clock
  /** @default cryptographic chance */
  readonly chance?: Chance
}

/** Makes a {@link createSession} of one's own, whose sessions share one timer with each other and with nobody else. */
export function sessionFactory(shared: SessionFactoryOptions = {}): CreateSession {
  const { clock = systemClock, chance = systemChance } = shared
  const host = { clock, chance, sweep: new Sweep(clock) }
  const defaultLimits = resolveSessionLimits({})
  return async (request, response, { headers, ...given } = {}) => {
    const limits = Object.keys(given).length > 0 ? resolveSessionLimits(given) : defaultLimits
    const transport = openTransport(request, response, headers ? { headers } : {})
    const session = new TransportSession(transport, host, limits, lastEventId(request))
    if (request.method === 'HEAD') session.close()
    return session
  }
}

/**
 * {@link CreateSession} for a whole process: its sessions share one timer, which exists only while there are any.
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
