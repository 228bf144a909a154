import type { Position, Topic } from '@millrace/protocol'
import type { StoredEvent } from './log.ts'

/** As many as logs remember by default. */
const MAX_COUNT = 100_000

/** The topics whose last event has `end`; of very many those that were finished last, as of a log that forgets topics. */
export class FinishedTopics {
  readonly #ends = new Map<Topic, Position>()
  /** In the order in which they were finished. */
  readonly #bySeq = new Map<number, Topic>()
  readonly #maxCount: number

  constructor(maxCount: number = MAX_COUNT) {
    this.#maxCount = maxCount
  }

  /** Takes note of an event that is newer than all others, or known already. */
  note({ topic, end, position }: StoredEvent): void {
    if (!end && this.#ends.size === 0) return
    const known = this.#ends.get(topic)
    if (known && known.seq >= position.seq) return
    if (known) this.#bySeq.delete(known.seq)
    if (end) {
      this.#ends.set(topic, position)
      this.#bySeq.set(position.seq, topic)
      this.#forgetOldest()
    } else if (known) this.#ends.delete(topic)
  }

  #forgetOldest(): void {
    if (this.#ends.size <= this.#maxCount) return
    for (const [seq, topic] of this.#bySeq) {
      this.#bySeq.delete(seq)
      this.#ends.delete(topic)
      return
    }
  }

  /** Where the topic was finished; undefined when it is not, as of `until`. */
  endOf(topic: Topic, until: Position): Position | undefined {
    const end = this.#ends.get(topic)
    return end?.epoch === until.epoch && end.seq <= until.seq ? end : undefined
  }

  /** The topic that was finished by the event at this place, if it still is. */
  topicEndedAt(seq: number): Topic | undefined {
    return this.#bySeq.get(seq)
  }

  clear(): void {
    this.#ends.clear()
    this.#bySeq.clear()
  }
}
