import { systemClock } from '../clock.ts'

/** So many answers in a row may be given within one turn of the event loop. */
const MAX_IN_TURN = 256

/**
 * Makes whoever awaits each answer of a log in memory wait for a turn of the event loop now and then. All of them come
 * at once, so that a loop of publishes would else never let anything be delivered. Turns are the real ones, whatever
 * clock the log goes by.
 */
export class TurnTaking {
  #count = 0
  #turn: Promise<void> | undefined

  /** The answer, now or after a turn; answers keep their order. */
  pass<T>(answer: T): T | Promise<T> {
    this.#count++
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
