import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** Topics whose chains are remembered; each has twice as many places as are asked for at once, at the most. */
const MAX_CHAINS = 128

interface Chain {
  /** Places of its events, oldest first, without a hole. */
  readonly seqs: number[]
  /** The event before the first of them; 0 or evicted: there is none. */
  beforeSeq: number
}

/**
 * Where the events of single topics are: along the chain by which each names the one before it. A chain is walked from its
 * newest end, so it is remembered for whoever reads on page by page, and for the others who come back to the same topic.
 */
export class TopicChains {
  readonly #selectPrevious: StatementSync
  /** By topic, the one that was asked for least recently first. */
  readonly #chains = new Map<number, Chain>()

  constructor(database: DatabaseSync) {
    this.#selectPrevious = database.prepare('SELECT previous_seq FROM event WHERE seq = ?')
  }

  /**
   * The kept events of a topic after a place, oldest first; undefined when they are more than `maxCount`.
   *
   * @param afterSeq at least that of the topic's newest evicted event
   */
  seqsAfter(
    { id, lastSeq }: { id: number; lastSeq: number },
    afterSeq: number,
    maxCount: number,
  ): number[] | undefined {
    const known = this.#chains.get(id)
    this.#chains.delete(id)
    // One that ends before the place would get a hole.
    const isKnown = known && (known.seqs.at(-1) ?? known.beforeSeq) >= afterSeq
    const chain: Chain = isKnown ? known : { seqs: [], beforeSeq: lastSeq }
    const newer = this.#walk(lastSeq, chain.seqs.at(-1) ?? chain.beforeSeq, maxCount)
    if (!newer) return undefined
    chain.seqs.push(...newer.seqs)
    if (chain.beforeSeq > afterSeq) {
      const older = this.#walk(chain.beforeSeq, afterSeq, maxCount)
      if (!older) return undefined
      chain.seqs.unshift(...older.seqs)
      chain.beforeSeq = older.beforeSeq
    }
    const from = firstAfter(chain.seqs, afterSeq)
    const count = chain.seqs.length - from
    if (count > maxCount) return undefined
    if (chain.seqs.length <= 2 * maxCount) this.#remember(id, chain)
    return chain.seqs.slice(from)
  }

  /** Walks from one event back to another, which is left out. */
  #walk(fromSeq: number, downToSeq: number, maxCount: number): { seqs: number[]; beforeSeq: number } | undefined {
    const seqs: number[] = []
    let seq = fromSeq
    while (seq > downToSeq) {
      const row = this.#selectPrevious.get(seq)
      // The rest of the chain is evicted.
      if (!row) return { seqs: seqs.reverse(), beforeSeq: 0 }
      if (seqs.length === maxCount) return undefined
      seqs.push(seq)
      seq = Number(row['previous_seq'])
    }
    return { seqs: seqs.reverse(), beforeSeq: seq }
  }

  #remember(id: number, chain: Chain): void {
    this.#chains.set(id, chain)
    if (this.#chains.size <= MAX_CHAINS) return
    for (const oldest of this.#chains.keys()) {
      this.#chains.delete(oldest)
      return
    }
  }
}

/** The index of the first number that is greater. */
function firstAfter(ascending: readonly number[], value: number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ascending[middle] ?? 0) > value) high = middle
    else low = middle + 1
  }
  return low
}
