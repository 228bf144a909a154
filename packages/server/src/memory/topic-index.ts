import { compileSelectors, isPattern, type Position, type Selector, type Topic } from '@millrace/protocol'
import type { StoredEvent } from '../log.ts'
import { EvictionTree, later, type EvictionNode } from './eviction-tree.ts'

/** What the log keeps of a topic, whatever retention does. */
interface TopicRecord {
  readonly topic: Topic
  readonly ruleIndex: number
  last: StoredEvent
  /** Where its newest evicted event was. */
  readonly evictions: EvictionNode
  /** Neighbours in the order of `last`. */
  older: TopicRecord | undefined
  newer: TopicRecord | undefined
}

/**
 * The topics of the log: of each the last event, and how far it was evicted. Beyond `maxTopics` it forgets the topic
 * whose last event is the oldest. A topic that is not in the index counts as evicted up to `forgottenTo`.
 */
export class TopicIndex {
  readonly #maxTopics: number
  readonly #ruleIndexOf: (topic: Topic) => number
  readonly #records = new Map<Topic, TopicRecord>()
  readonly #evictions = new EvictionTree()
  #oldest: TopicRecord | undefined
  #newest: TopicRecord | undefined
  #hasForgotten = false
  #forgottenTo: Position | undefined
  /** The newest evicted event of all topics. */
  #evictedTo: Position | undefined

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

  noteEvicted(topic: Topic, position: Position): void {
    const record = this.#records.get(topic)
    if (record) this.#evictions.note(record.evictions, position)
    else this.#forgottenTo = later(position, this.#forgottenTo)
    this.#evictedTo = later(position, this.#evictedTo)
  }

  /** The newest evicted event that matches, or that may and its topic is forgotten; `floor` if none is later. */
  newestEvicted(selectors: readonly Selector[] | 'all', floor: Position): Position {
    const newestOfAll = later(floor, this.#evictedTo)
    // Whoever reads on in the unbroken part of the log need not be matched against what was evicted.
    if (selectors === 'all' || newestOfAll === floor) return newestOfAll
    let newest = floor
    for (const selector of selectors) newest = this.#newestEvictedMatch(selector, newest)
    return newest
  }

  /** The last event of each matching topic, oldest first. */
  lastEvents(selectors: readonly Selector[] | 'all'): StoredEvent[] {
    const matches = selectors === 'all' ? undefined : compileSelectors(selectors)
    const events: StoredEvent[] = []
    for (let record = this.#oldest; record; record = record.newer) {
      if (!matches || matches(record.topic)) events.push(record.last)
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

  #newestEvictedMatch(selector: Selector, floor: Position): Position {
    if (isPattern(selector)) return this.#evictions.newestMatch(selector, later(floor, this.#forgottenTo))
    const record = this.#records.get(topicOf(selector))
    return later(floor, record ? record.evictions.own : this.#forgottenTo)
  }

  #create(event: StoredEvent): TopicRecord {
    const record: TopicRecord = {
      topic: event.topic,
      ruleIndex: this.#ruleIndexOf(event.topic),
      last: event,
      evictions: this.#evictions.add(event.topic),
      older: undefined,
      newer: undefined,
    }
    // It may be one that was forgotten.
    if (this.#forgottenTo) this.#evictions.note(record.evictions, this.#forgottenTo)
    this.#records.set(event.topic, record)
    return record
  }

  #forgetOldest(): void {
    const record = this.#oldest
    if (!record) return
    this.#unlink(record)
    this.#records.delete(record.topic)
    this.#hasForgotten = true
    const { own } = record.evictions
    if (own) this.#forgottenTo = later(own, this.#forgottenTo)
    this.#evictions.remove(record.evictions)
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
