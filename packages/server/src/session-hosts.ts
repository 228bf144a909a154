import { systemChance, type Chance } from './chance.ts'
import { systemClock, type Clock } from './clock.ts'
import { Sweep } from './sweep.ts'
import type { SessionHost } from './transport-session.ts'

/** Heartbeats come up to one interval early: a tenth of the silence, or a second. */
const MAX_SWEEP_INTERVAL_MS = 1_000

/** What the sessions of one factory share. */
export interface SessionFactoryOptions {
  /** @default the machine's clock */
  readonly clock?: Clock
  /** @default cryptographic chance */
  readonly chance?: Chance
}

/** Gives sessions a common timer: one for all whose heartbeats are 10 s apart or more, and one for each shorter time. */
export class SessionHosts {
  readonly #clock: Clock
  readonly #chance: Chance
  /** By interval in milliseconds. */
  readonly #hosts = new Map<number, SessionHost>()

  constructor({ clock = systemClock, chance = systemChance }: SessionFactoryOptions = {}) {
    this.#clock = clock
    this.#chance = chance
  }

  hostFor(heartbeatMs: number): SessionHost {
    const intervalMs = Math.min(MAX_SWEEP_INTERVAL_MS, Math.floor(heartbeatMs / 10))
    const known = this.#hosts.get(intervalMs)
    if (known) return known
    const host = { clock: this.#clock, chance: this.#chance, sweep: new Sweep(this.#clock, { intervalMs }) }
    this.#hosts.set(intervalMs, host)
    return host
  }
}
