import { formatEventId } from '@millrace/protocol'
import type { HubObserver, ReplayEnd, SlowCause, Subscriber } from '@millrace/server'

/** Where lines go: what of a `pino` logger is used. */
export interface LineLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** As much of what a client sent as goes into a line. */
const MAX_SHOWN = 128
/** As many topics, and types, as a line names. */
const MAX_NAMED = 20

/**
 * Writes one line for each turn in a stream's life: opened, behind, caught up, gap, left. `connection` is in each, and in
 * the client's own `stream:connected`, so that one search finds the life of one stream. Who owns a topic of a user is
 * nobody's business here: `@alice` is written `@…`.
 */
export class ConnectionLog implements HubObserver {
  readonly #log: LineLog

  constructor(log: LineLog) {
    this.#log = log
  }

  onOpened(subscriber: Subscriber): void {
    const { request, protocol, peer } = subscriber
    const { lastEventId, selectors, types, from } = request
    this.#log.info(
      {
        ...named(subscriber),
        ...(peer === undefined ? {} : { peer }),
        protocol,
        topics: selectors.slice(0, MAX_NAMED).map((selector) => (selector.startsWith('@') ? '@…' : selector)),
        ...(selectors.length > MAX_NAMED ? { moreTopics: selectors.length - MAX_NAMED } : {}),
        ...(types.length > 0 ? { types: types.slice(0, MAX_NAMED).map((type) => type.slice(0, MAX_SHOWN)) } : {}),
        ...(types.length > MAX_NAMED ? { moreTypes: types.length - MAX_NAMED } : {}),
        ...(lastEventId ? { resumedFrom: lastEventId.slice(0, MAX_SHOWN) } : { from }),
      },
      'opened',
    )
  }

  onRefused(reason: string): void {
    this.#log.warn({ reason }, 'refused')
  }

  onSlow(subscriber: Subscriber, cause: SlowCause): void {
    this.#log.warn(
      { ...named(subscriber), cause, bufferedBytes: subscriber.bufferedBytes, ...sums(subscriber) },
      'behind',
    )
  }

  onCaughtUp(subscriber: Subscriber, { why, replayed, source, durationMs }: ReplayEnd): void {
    this.#log.info({ ...named(subscriber), why, replayed, source, tookMs: Math.round(durationMs) }, 'caught up')
  }

  onGap(subscriber: Subscriber, reason: string): void {
    this.#log.warn({ ...named(subscriber), reason }, 'gap')
  }

  onClosed(subscriber: Subscriber): void {
    const { state, position, ageMs } = subscriber
    this.#log.info(
      {
        ...named(subscriber),
        reason: 'reason' in state ? state.reason : 'client',
        lastedMs: Math.round(ageMs),
        ...sums(subscriber),
        ...(position ? { position: formatEventId(position) } : {}),
      },
      'left',
    )
  }
}

function named({ connection }: Subscriber): { connection: string } {
  return { connection }
}

function sums({ events, bytes }: Subscriber): { events: number; bytes: number } {
  return { events, bytes }
}
