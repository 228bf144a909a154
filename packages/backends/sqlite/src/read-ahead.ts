import type { Position } from '@millrace/protocol'
import type { GapAnswer, PageAnswer, Questions } from './messages.ts'

type ReadAsk = Questions['read']['ask']

/**
 * The next page of whoever read last, fetched while this thread is still busy with the page before: a long replay by one
 * client takes half of the time (benchmark `sqlite-hub`).
 *
 * A page that was read ahead may have events that were evicted in the moment since: nobody loses by that. One that has
 * reached the head is of no use, because more may have been stored since.
 */
export class ReadAhead {
  #ask: ReadAsk | undefined
  #answer: Promise<PageAnswer | GapAnswer> | undefined

  /** Notes what was asked ahead, instead of what was before. */
  note(ask: ReadAsk, answer: Promise<PageAnswer | GapAnswer>): void {
    this.#ask = ask
    this.#answer = answer
    // Who asks for it is told; else nobody has to be.
    answer.catch(() => undefined)
  }

  /** The page, if just that was read ahead and can be used. It is given once. */
  async take(ask: ReadAsk): Promise<PageAnswer | undefined> {
    if (!this.#ask || !isSame(this.#ask, ask)) return undefined
    const answer = this.#answer
    this.clear()
    try {
      const found = await answer
      return found?.kind === 'page' && found.scannedTo.seq < found.head.seq ? found : undefined
    } catch {
      return undefined
    }
  }

  clear(): void {
    this.#ask = undefined
    this.#answer = undefined
  }
}

function isSame(one: ReadAsk, other: ReadAsk): boolean {
  return (
    one.selectors === other.selectors &&
    one.maxCount === other.maxCount &&
    one.maxBytes === other.maxBytes &&
    isSamePlace(one.after, other.after)
  )
}

function isSamePlace(one: Position | 'oldest', other: Position | 'oldest'): boolean {
  if (typeof one === 'string' || typeof other === 'string') return false
  return one.seq === other.seq && one.check === other.check && one.epoch === other.epoch
}
