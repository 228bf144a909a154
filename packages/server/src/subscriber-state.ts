/** Why a stream ended, as logs, metrics and the admin interface say it. */
export type EndReason = 'client' | 'slow' | 'stale' | 'shutdown' | 'kicked' | 'finished' | 'error'

/**
 * - `catching-up`: reads from the log or the hot window at its own pace.
 * - `live`: a member of its audience, served by every pass.
 * - `closing`: its last bytes are accepted and nothing more will be written.
 * - `closed`: its transport is gone.
 */
export type SubscriberState =
  | { readonly name: 'catching-up'; readonly why: 'start' | 'slow' | 'reset' | 'topics' }
  | { readonly name: 'live' }
  | { readonly name: 'closing'; readonly reason: EndReason }
  | { readonly name: 'closed'; readonly reason: EndReason }

export type SubscriberChange =
  | { readonly name: 'joined' }
  | { readonly name: 'fell-behind' }
  | { readonly name: 'window-reset' }
  | { readonly name: 'topics-changed' }
  | { readonly name: 'ended'; readonly reason: EndReason }
  | { readonly name: 'transport-closed' }

const LIVE: SubscriberState = Object.freeze({ name: 'live' })

export const STARTING: SubscriberState = Object.freeze({ name: 'catching-up', why: 'start' })

/** The state after a change. What does not apply in a state changes nothing. */
export function nextState(state: SubscriberState, change: SubscriberChange): SubscriberState {
  switch (change.name) {
    case 'joined':
      return state.name === 'catching-up' ? LIVE : state
    case 'fell-behind':
      return state.name === 'live' ? { name: 'catching-up', why: 'slow' } : state
    case 'window-reset':
      return state.name === 'live' ? { name: 'catching-up', why: 'reset' } : state
    case 'topics-changed':
      return state.name === 'live' ? { name: 'catching-up', why: 'topics' } : state
    case 'ended':
      return state.name === 'live' || state.name === 'catching-up' ? { name: 'closing', reason: change.reason } : state
    case 'transport-closed':
      if (state.name === 'closed') return state
      return { name: 'closed', reason: state.name === 'closing' ? state.reason : 'client' }
  }
}
