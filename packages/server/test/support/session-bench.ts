import { resolveSessionLimits, type SessionLimits } from '../../src/session.ts'
import { Sweep } from '../../src/sweep.ts'
import { TransportSession } from '../../src/transport-session.ts'
import { FakeClock } from './fake-clock.ts'
import { PlayedClient } from './played-client.ts'

/** Opens sessions that share a clock and a sweep. */
export class SessionBench {
  readonly clock = new FakeClock()
  readonly sweep: Sweep = new Sweep(this.clock, { intervalMs: 1_000 })
  /** The client of the session that is opened next. */
  transport = new PlayedClient()

  open(given: Partial<SessionLimits> & { lastEventId?: string; fraction?: number } = {}): TransportSession {
    const { lastEventId, fraction = 0.5, ...limits } = given
    const { clock, sweep, transport } = this
    const chance = { fraction: () => fraction, token: (length: number) => 'x'.repeat(length) }
    return new TransportSession(transport, { clock, chance, sweep }, resolveSessionLimits(limits), lastEventId)
  }

  /** Opens one, and forgets its first bytes. */
  openQuietly(given: Parameters<SessionBench['open']>[0] = {}): TransportSession {
    const session = this.open(given)
    this.transport.received = ''
    return session
  }
}
