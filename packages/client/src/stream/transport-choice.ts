import type { Transport } from './event-feed.ts'

/** What is known of the ways to get events from this server. */
export interface TransportChoice {
  readonly transport: Transport
  /** A poll has come through where streams had failed: the stream that is tried now shows whether it was the network. */
  readonly isProbed: boolean
  /** Failures in a row that speak against this transport. */
  readonly strikes: number
  /** The server has answered polls. */
  readonly canPoll: boolean
  /** Until then it is not asked for polls: it has answered that it knows none. Milliseconds, by the clock. */
  readonly pollAtMs: number
  /** When a stream is tried again. Milliseconds, by the clock. */
  readonly streamAtMs: number
  /**
   * How long a transport is left alone that does not work: it is polled for so long before a stream is tried again, and
   * twice as long each time that polls get through and this fails. Where the server knows no polls, it is asked again
   * after so long, and after twice as long each time; streams that work start it over. Milliseconds.
   */
  readonly pauseMs: number
}

/**
 * What an attempt says about its transport.
 *
 * - `good`: it does its work. For a stream: events came, or it was open for a while.
 * - `bad`: the connection failed before anything came of it, or fell silent. That may be the network, or the transport.
 * - `held_back`: something on the way keeps the bytes of streams; or it seems so, since a server that nothing has been heard of yet
 *   has not answered in time. A poll shows which.
 * - `no_polling`: the server does not answer polls. Or somebody else has answered, such as the page of a captive portal: so this
 *   is not for ever.
 * - `neutral`: the server has answered; that the answer was a refusal is not the transport's fault.
 */
export type TransportVerdict = 'good' | 'bad' | 'held_back' | 'no_polling' | 'neutral'

/** A single failure is the network's. */
const MAX_STRIKES = 2
/** Milliseconds. */
const MAX_PAUSE_MS = 600_000

export function firstChoice(transport: Transport, pauseMs: number): TransportChoice {
  return { transport, isProbed: false, strikes: 0, canPoll: false, pollAtMs: 0, streamAtMs: 0, pauseMs }
}

/** The transport of the next attempt. Pure. */
export function nextChoice(
  now: TransportChoice,
  verdict: TransportVerdict,
  nowMs: number,
  streamRetryMs: number,
): TransportChoice {
  const { transport, canPoll, pauseMs } = now
  const isStream = transport === 'stream'
  const longerMs = Math.min(MAX_PAUSE_MS, pauseMs * 2)
  if (verdict === 'no_polling') return { ...firstChoice('stream', longerMs), pollAtMs: nowMs + pauseMs }
  if (verdict === 'good') {
    if (isStream) return { ...now, isProbed: false, strikes: 0, pauseMs: streamRetryMs }
    const good = { ...now, isProbed: true, strikes: 0, canPoll: true }
    // One strike already: a stream that fails again at once is not given a second chance.
    if (nowMs < now.streamAtMs) return good
    return { ...good, transport: 'stream', strikes: MAX_STRIKES - 1, pauseMs: now.isProbed ? longerMs : pauseMs }
  }
  if (verdict === 'neutral') return now
  const strikes = now.strikes + 1
  if (verdict === 'bad' && strikes < MAX_STRIKES) return { ...now, strikes }
  if (isStream) {
    if (nowMs < now.pollAtMs) return now
    return {
      ...now,
      transport: 'long-polling',
      strikes: 0,
      // Perhaps nothing got through: when a poll does, a stream may as well.
      streamAtMs: nowMs + (verdict === 'bad' && !now.isProbed ? 0 : pauseMs),
    }
  }
  // Requests that wait are cut off; or nothing gets through, and then a stream is as good as anything.
  return { ...now, transport: transport === 'long-polling' && canPoll ? 'polling' : 'stream', strikes: 0 }
}
