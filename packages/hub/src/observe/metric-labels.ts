import type { ReconnectReason, SyncReason } from '@millrace/protocol'
import type { PollOutcome, ReplayEnd, SlowCause, Subscriber } from '@millrace/server'

/** A stream that is closed is not counted any more. */
type OpenState = Exclude<Subscriber['state']['name'], 'closed'>
type ClosedReason = Extract<Subscriber['state'], { readonly name: 'closed' }>['reason']
/** `values`: a new stream, which was sent the newest values of state topics before it was live. */
export type ReplayWhy = ReplayEnd['why'] | 'values'

/** All values that a label can have, none left out: each is a series that begins at 0. */
function all<Value extends string>(values: Readonly<Record<Value, 0>>): readonly Value[] {
  return Object.keys(values) as Value[]
}

export const OPEN_STATES: readonly OpenState[] = all({ 'catching-up': 0, live: 0, closing: 0 })
export const PROTOCOLS: readonly Subscriber['protocol'][] = all({
  'http/1.0': 0,
  'http/1.1': 0,
  h2: 0,
  fetch: 0,
  other: 0,
})
export const CLOSED_REASONS: readonly ClosedReason[] = all({
  client: 0,
  slow: 0,
  stale: 0,
  shutdown: 0,
  kicked: 0,
  finished: 0,
  error: 0,
})
export const REFUSED_REASONS: readonly ReconnectReason[] = all({ overloaded: 0, draining: 0, log_unavailable: 0 })
export const GAP_REASONS: readonly SyncReason[] = all({
  too_old: 0,
  epoch_changed: 0,
  ahead: 0,
  unknown_id: 0,
  slow: 0,
  too_far: 0,
})
export const SLOW_CAUSES: readonly SlowCause[] = all({ bytes: 0, age: 0, total: 0 })
export const REPLAY_WHYS: readonly ReplayWhy[] = all({ start: 0, values: 0, slow: 0, reset: 0, topics: 0 })
export const WINDOW_RESULTS: readonly ('hit' | 'miss')[] = all({ hit: 0, miss: 0 })
export const POLL_OUTCOMES: readonly PollOutcome[] = all({ events: 0, empty: 0, reset: 0, left: 0, failed: 0 })
