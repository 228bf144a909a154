import { makeAlarm, type Clock } from '../clock.ts'

/** A timer that fires later than this was held up: by sleep, or by a browser that saves power. Milliseconds. */
const LATE_MS = 1_000
/** What a late timer waits for bytes that came meanwhile and have not been read yet. Milliseconds. */
const GRACE_MS = 2_000
/** Timers of a hidden tab are late each time, and a dead connection has to be noticed there too. */
const MAX_GRACES = 2

/**
 * Notices that a connection is silent for longer than it may be.
 *
 * Counts from the last byte, at the cost of two numbers for each chunk. A timer that fires late proves nothing: the
 * machine slept, and what came may wait to be read. It then waits a little longer, twice at the most. Where the clock of
 * timers stands still in sleep, the time of day tells whoever asks by {@link Watchdog.doubt}.
 */
export interface Watchdog {
  /** Starts to watch, or goes on with another limit. Milliseconds, or false to rest: a silence of nobody's making. */
  watch(limitMs: number | false): void
  /** Bytes have come. */
  hear(): void
  /**
   * The machine may have slept, or changed its network: until the next byte the connection is not given the whole limit,
   * but the silence that was promised, and a little for what waits to be read. Milliseconds.
   */
  doubt(promisedMs: number): void
}

/** @param time the time of day, in milliseconds */
export function makeWatchdog(clock: Clock, onSilent: () => void, time: () => number): Watchdog {
  const alarm = makeAlarm(clock)
  let limitMs: number | false = false
  let heardAtMs = 0
  /** When that was by the time of day. */
  let heardTimeMs = 0
  let isInDoubt = false
  let graces = 0

  function hear(): void {
    heardAtMs = clock.now()
    heardTimeMs = time()
    graces = 0
    isInDoubt = false
  }

  function wait(delayMs: number): void {
    const dueMs = clock.now() + delayMs
    alarm(delayMs, () => look(dueMs))
  }

  function look(dueMs: number): void {
    const nowMs = clock.now()
    const restMs = isInDoubt ? 0 : heardAtMs + Number(limitMs) - nowMs
    if (restMs > 0) wait(restMs)
    else if (nowMs - dueMs > LATE_MS && graces++ < MAX_GRACES) wait(GRACE_MS)
    else onSilent()
  }

  return {
    hear,
    watch(newLimitMs) {
      if (newLimitMs === limitMs) return
      limitMs = newLimitMs
      hear()
      if (limitMs === false) alarm(false)
      else wait(limitMs)
    },
    doubt(promisedMs) {
      if (limitMs === false || isInDoubt) return
      isInDoubt = true
      const silentMs = Math.max(clock.now() - heardAtMs, time() - heardTimeMs)
      wait(Math.max(0, promisedMs - silentMs) + GRACE_MS)
    },
  }
}
