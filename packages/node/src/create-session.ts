import {
  resolveSessionLimits,
  Sweep,
  systemChance,
  systemClock,
  TransportSession,
  type Chance,
  type Clock,
  type Session,
  type SessionHost,
  type SessionLimits,
  type StreamHeaders,
} from '@millrace/server'
import { lastEventId } from './last-event-id.ts'
import type { NodeRequest, NodeResponse } from './node-http.ts'
import { openTransport } from './open-transport.ts'

/** Heartbeats come up to one interval early: a tenth of the silence, or a second. */
const MAX_SWEEP_INTERVAL_MS = 1_000

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

/** Makes a {@link createSession} of one's own, whose sessions share timers with each other and with nobody else. */
export function sessionFactory(shared: SessionFactoryOptions = {}): CreateSession {
  const { clock = systemClock, chance = systemChance } = shared
  /** By interval in milliseconds. */
  const hosts = new Map<number, SessionHost>()
  const hostFor = (heartbeatMs: number): SessionHost => {
    const intervalMs = Math.min(MAX_SWEEP_INTERVAL_MS, Math.floor(heartbeatMs / 10))
    const known = hosts.get(intervalMs)
    if (known) return known
    const host = { clock, chance, sweep: new Sweep(clock, { intervalMs }) }
    hosts.set(intervalMs, host)
    return host
  }
  const defaultLimits = resolveSessionLimits({})
  return async (request, response, { headers, ...given } = {}) => {
    const limits = Object.keys(given).length > 0 ? resolveSessionLimits(given) : defaultLimits
    const transport = openTransport(request, response, headers ? { headers } : {})
    const session = new TransportSession(transport, hostFor(limits.heartbeatMs), limits, lastEventId(request))
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
