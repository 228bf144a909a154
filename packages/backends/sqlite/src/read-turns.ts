/**
 * So many reads are with the worker at once. It answers one after the other anyway, and each answer is a page to be taken
 * up: more at once would stand before the answers to appends.
 */
const MAX_READS = 2

/** Lets reads wait here rather than with the worker. */
export class ReadTurns {
  readonly #waiting: (() => void)[] = []
  #count = 0

  async run<Answer>(read: () => Promise<Answer>): Promise<Answer> {
    if (this.#count >= MAX_READS) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#count++
    try {
      return await read()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#count--
    }
  }
}
