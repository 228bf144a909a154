/**
 * What a client shows before the server has answered. Pure: states in, states out.
 *
 * A state is what the server has confirmed, and the changes that it has not: what is shown are these on top of that. A
 * confirmed change of somebody else goes below them, which is all that re-ordering is; a refused one is taken out, which
 * is all that rolling back is.
 */
export interface OptimisticState<State, Change> {
  readonly confirmed: State
  /** How many changes the server had made when it was in this state. */
  readonly version: number
  /** In the order in which they were made. */
  readonly pending: readonly PendingChange<Change>[]
}

export interface PendingChange<Change> {
  /** Goes with each attempt to send it, so that the server makes it once; the stream gives it back. */
  readonly key: string
  readonly change: Change
  /** The version that it has made, when the server has answered and the stream has not come as far. */
  readonly version?: number
}

/** A change as the stream brings it. */
export interface ConfirmedChange<Change> {
  readonly key: string
  readonly change: Change
  /** The version that it makes; one more than that of the one before. */
  readonly version: number
}

/** The state after a change; undefined where the rules do not allow it. */
export type Apply<State, Change> = (state: State, change: Change) => State | undefined

/** Somebody wants a change here. */
export function propose<S, C>(state: OptimisticState<S, C>, key: string, change: C): OptimisticState<S, C> {
  return { ...state, pending: [...state.pending, { key, change }] }
}

/** The server has answered that the change made a version. The stream may have been faster, or a state fetched meanwhile. */
export function accept<S, C>(state: OptimisticState<S, C>, key: string, version: number): OptimisticState<S, C> {
  const pending = state.pending.map((one) => (one.key === key ? { ...one, version } : one))
  return { ...state, pending: pending.filter((one) => !isIncluded(one, state.version)) }
}

/** The server has answered that the rules do not allow the change. */
export function refuse<S, C>(state: OptimisticState<S, C>, key: string): OptimisticState<S, C> {
  return { ...state, pending: state.pending.filter((one) => one.key !== key) }
}

/**
 * The stream brings a change. One that a fetched state has already is left out.
 *
 * @throws RangeError when versions are missing before it, or it cannot be applied: then client and server differ, and
 * nothing that is shown from here on would be right
 */
export function confirm<S, C>(
  state: OptimisticState<S, C>,
  { key, change, version }: ConfirmedChange<C>,
  apply: Apply<S, C>,
): OptimisticState<S, C> {
  const { pending } = refuse(state, key)
  if (version <= state.version) return { ...state, pending }
  const confirmed = version === state.version + 1 ? apply(state.confirmed, change) : undefined
  if (confirmed === undefined) throw new RangeError(`Version ${version} does not go on from version ${state.version}.`)
  return { confirmed, version, pending }
}

/** The state was fetched anew, since events are missing. What waits for its answer is kept: its answer will tell. */
export function replace<S, C>(state: OptimisticState<S, C>, confirmed: S, version: number): OptimisticState<S, C> {
  return { confirmed, version, pending: state.pending.filter((one) => !isIncluded(one, version)) }
}

/** What to show: a pending change that is not possible any more is left out, and stays pending until its answer comes. */
export function shown<S, C>({ confirmed, pending }: OptimisticState<S, C>, apply: Apply<S, C>): S {
  let state = confirmed
  for (const { change } of pending) state = apply(state, change) ?? state
  return state
}

function isIncluded({ version }: PendingChange<unknown>, upTo: number): boolean {
  return version !== undefined && version <= upTo
}
