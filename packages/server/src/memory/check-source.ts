import type { Chance } from '../chance.ts'

/** Characters of an epoch: two lives of a hub share one by chance once in 2 × 10^9. */
export const EPOCH_LENGTH = 6
const CHECK_LENGTH = 3
/** Drawn at once: chance by the call costs more than the event it is for. */
const DRAWN_COUNT = 256

/** Draws the `check` of each event. */
export class CheckSource {
  readonly #chance: Chance
  #drawn = ''
  #used = 0

  constructor(chance: Chance) {
    this.#chance = chance
  }

  next(): string {
    if (this.#used === this.#drawn.length) {
      this.#drawn = this.#chance.token(CHECK_LENGTH * DRAWN_COUNT)
      this.#used = 0
    }
    this.#used += CHECK_LENGTH
    return this.#drawn.slice(this.#used - CHECK_LENGTH, this.#used)
  }
}
