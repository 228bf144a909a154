import { systemClock } from '../clock.ts'

/** Answers of so many events together may be given in a row within one turn of the event loop. */
const MAX_IN_TURN = 256

/**
 * Makes whoever awaits each answer of a log or a bus in memory wait for a turn of the event loop now and then. All of
 * them come at once, so that a loop of publishes, or of pages, would else never let anything be delivered. Turns are the
 * real ones, whatever clock the log goes by.
 */
export class TurnTaking {
  #count = 0
  #turn: Promise<void> | undefined

  /** The answer to an append, or a page, of so many events, now or after a turn; answers keep their order. */
  pass<T>(answer: T, eventCount: number): T | Promise<T> {
    this.#count += Math.max(1, eventCount)
    if (this.#count < MAX_IN_TURN) return answer
    this.#turn ??= new Promise((resolve) => {
      systemClock.soon(() => {
        this.#count = 0
        this.#turn = undefined
        resolve()
      })
    })
    return this.#turn.then(() => answer)
  }
}
