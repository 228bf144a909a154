import { isPattern, matchesSelector, type Selector, type Topic } from '@millrace/protocol'
import type { StoredEvent } from '../log.ts'

/** What the log keeps of a topic, whatever retention does. */
interface TopicRecord {
  readonly topic: Topic
  readonly ruleIndex: number
  last: StoredEvent
  /** The `seq` of its newest evicted event; 0 when none was. */
  evictedToSeq: number
  /** Neighbours in the order of `last`. */
  older: TopicRecord | undefined
  newer: TopicRecord | undefined
}

/**
 * The topics of the log: of each the last event, and how far it was evicted. Beyond `maxTopics` it forgets the topic
 * whose last event is the oldest. A topic that is not in the index counts as evicted up to `forgottenToSeq`.
 */
export class TopicIndex {
  readonly #maxTopics: number
  readonly #ruleIndexOf: (topic: Topic) => number
  readonly #records = new Map<Topic, TopicRecord>()
  #oldest: TopicRecord | undefined
  #newest: TopicRecord | undefined
  #hasForgotten = false
  #forgottenToSeq = 0
  /** The `seq` of the newest evicted event of all topics. */
  #evictedToSeq = 0

  constructor(maxTopics: number, ruleIndexOf: (topic: Topic) => number) {
    this.#maxTopics = maxTopics
    this.#ruleIndexOf = ruleIndexOf
  }

  get count(): number {
    return this.#records.size
  }

  /** Notes an event, which is newer than all others. Returns the index of its topic's rule. */
  noteAppended(event: StoredEvent): number {
    let record = this.#records.get(event.topic)
    if (record) {
      record.last = event
      if (record === this.#newest) return record.ruleIndex
      this.#unlink(record)
    } else {
      record = this.#create(event)
    }
    this.#linkNewest(record)
    if (this.#records.size > this.#maxTopics) this.#forgetOldest()
    return record.ruleIndex
  }

  noteEvicted(topic: Topic, seq: number): void {
    const record = this.#records.get(topic)
    if (record) record.evictedToSeq = Math.max(record.evictedToSeq, seq)
    else this.#forgottenToSeq = Math.max(this.#forgottenToSeq, seq)
    this.#evictedToSeq = Math.max(this.#evictedToSeq, seq)
  }

  /** Whether an event after `seq` was evicted that matches, or may have been and its topic is forgotten. */
  hasEvictedAfter(seq: number, selectors: readonly Selector[] | 'all'): boolean {
    if (seq >= this.#evictedToSeq) return false
    if (selectors === 'all') return true
    return selectors.some((selector) => this.#hasEvictedMatchAfter(seq, selector))
  }

  /** The last event of each matching topic, oldest first. */
  lastEvents(selectors: readonly Selector[] | 'all'): StoredEvent[] {
    const events: StoredEvent[] = []
    for (let record = this.#oldest; record; record = record.newer) {
      const { topic } = record
      if (selectors === 'all' || selectors.some((selector) => matchesSelector(selector, topic)))
        events.push(record.last)
    }
    return events
  }

  /** Whether a topic that matches may have been forgotten. */
  mayLack(selectors: readonly Selector[] | 'all'): boolean {
    if (!this.#hasForgotten) return false
    return (
      selectors === 'all' || selectors.some((selector) => isPattern(selector) || !this.#records.has(topicOf(selector)))
    )
  }

  clear(): void {
    this.#records.clear()
    this.#oldest = undefined
    this.#newest = undefined
  }

  #hasEvictedMatchAfter(seq: number, selector: Selector): boolean {
    if (!isPattern(selector)) return (this.#records.get(topicOf(selector))?.evictedToSeq ?? this.#forgottenToSeq) > seq
    if (this.#forgottenToSeq > seq) return true
    for (const record of this.#records.values()) {
      if (record.evictedToSeq > seq && matchesSelector(selector, record.topic)) return true
    }
    return false
  }

  #create(event: StoredEvent): TopicRecord {
    const record: TopicRecord = {
      topic: event.topic,
      ruleIndex: this.#ruleIndexOf(event.topic),
      last: event,
      // It may be one that was forgotten.
      evictedToSeq: this.#forgottenToSeq,
      older: undefined,
      newer: undefined,
    }
    this.#records.set(event.topic, record)
    return record
  }

  #forgetOldest(): void {
    const record = this.#oldest
    if (!record) return
    this.#unlink(record)
    this.#records.delete(record.topic)
    this.#hasForgotten = true
    this.#forgottenToSeq = Math.max(this.#forgottenToSeq, record.evictedToSeq)
  }

  #unlink(record: TopicRecord): void {
    if (record.older) record.older.newer = record.newer
    else this.#oldest = record.newer
    if (record.newer) record.newer.older = record.older
    else this.#newest = record.older
    record.older = undefined
    record.newer = undefined
  }

  #linkNewest(record: TopicRecord): void {
    record.older = this.#newest
    if (this.#newest) this.#newest.newer = record
    else this.#oldest = record
    this.#newest = record
  }
}

/** A selector that is no pattern is a topic. */
function topicOf(selector: Selector): Topic {
  return selector as string as Topic
}
