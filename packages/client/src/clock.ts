/** Time, as the clients need it; tests give a clock of their own. */
export interface Clock {
  /** Milliseconds that only rise: for intervals. */
  now(): number
  /**
   * Calls once after `delayMs` (0 to {@link MAX_DELAY_MS}); returns what cancels it, which may be called at any time and
   * more than once. The callback is never called from within `after`.
   */
  after(delayMs: number, callback: () => void): () => void
}

/** The longest that a timer can hold: past it timers wrap, and fire at once. Milliseconds. */
export const MAX_DELAY_MS: number = 2 ** 31 - 1

/** The clock of the machine. A timer keeps a Node process alive, as an open connection would. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

/** Sets the one timer of whoever has this, in the place of the one before; false only cancels it. Milliseconds, at most what a timer can hold. */
export type Alarm = (delayMs: number | false, callback?: () => void) => void

export function makeAlarm(clock: Clock): Alarm {
  let cancel: (() => void) | undefined
  return (delayMs, callback = () => {}) => {
    cancel?.()
    cancel = delayMs === false ? undefined : clock.after(Math.min(delayMs, MAX_DELAY_MS), callback)
  }
}
