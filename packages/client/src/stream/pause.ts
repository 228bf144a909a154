import { makeAlarm, type Clock } from '../clock.ts'

/** The wait between two attempts, which can be cut short. */
export interface Pause {
  /** Waits `delayMs`; `hurry` cuts it short, but never below `soonestMs`. One wait at a time. Milliseconds. */
  wait(delayMs: number, soonestMs: number): Promise<void>
  hurry(): void
  /** Ends the wait at once. */
  end(): void
}

export function makePause(clock: Clock): Pause {
  const alarm = makeAlarm(clock)
  let soonestAtMs = 0
  let over: (() => void) | undefined
  const end = (): void => {
    alarm(false)
    over?.()
    over = undefined
  }
  return {
    wait: (delayMs, soonestMs) =>
      new Promise((resolve) => {
        over = resolve
        soonestAtMs = clock.now() + soonestMs
        alarm(delayMs, end)
      }),
    hurry() {
      if (over) alarm(Math.max(0, soonestAtMs - clock.now()), end)
    },
    end,
  }
}
