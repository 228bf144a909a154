import type { Clock } from '../clock.ts'

/** The wait between two attempts, which can be cut short. */
export class Pause {
  readonly #clock: Clock
  #end: (() => void) | undefined
  #shorten: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Waits `delayMs`; `hurry` cuts it short, but never below `soonestMs`. One wait at a time. Milliseconds. */
  wait(delayMs: number, soonestMs: number): Promise<void> {
    const clock = this.#clock
    const startMs = clock.now()
    return new Promise((resolve) => {
      const end = (): void => {
        cancel()
        this.#end = this.#shorten = undefined
        resolve()
      }
      let cancel = clock.after(delayMs, end)
      this.#end = end
      this.#shorten = () => {
        cancel()
        cancel = clock.after(Math.max(0, startMs + soonestMs - clock.now()), end)
      }
    })
  }

  hurry(): void {
    this.#shorten?.()
  }

  /** Ends the wait at once. */
  end(): void {
    this.#end?.()
  }
}
