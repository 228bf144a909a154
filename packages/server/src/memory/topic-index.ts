import { isPattern, type Position, type Selector, type Topic } from '@millrace/protocol'
import type { StoredEvent } from '../log.ts'
import { Eviction, EvictionOrder, later } from './eviction-order.ts'
import { PatternSet, selectorTest } from './pattern-set.ts'

/** What the log keeps of a topic, whatever retention does. */
interface TopicRecord {
  readonly topic: Topic
  readonly ruleIndex: number
  last: StoredEvent
  /** Up to here nothing is known of it: it was new to the index, and may be one that was forgotten. */
  readonly forgottenTo: Position | undefined
  /** Its newest evicted event. */
  eviction: Eviction | undefined
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
  /** By rule. */
  readonly #evictions: readonly EvictionOrder[]
  #oldest: TopicRecord | undefined
  #newest: TopicRecord | undefined
  #hasForgotten = false
  #forgottenTo: Position | undefined
  /** The newest evicted event of all topics. */
  #evictedTo: Position | undefined

  constructor(maxTopics: number, ruleCount: number, ruleIndexOf: (topic: Topic) => number) {
    this.#maxTopics = maxTopics
    this.#evictions = Array.from({ length: ruleCount }, () => new EvictionOrder())
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
    if (record) this.#noteEviction(record, position)
    else this.#forgottenTo = later(position, this.#forgottenTo)
    this.#evictedTo = later(position, this.#evictedTo)
  }

  /** The newest evicted event that matches, or that may and its topic is forgotten; `floor` if none is later. */
  newestEvicted(selectors: readonly Selector[] | 'all', floor: Position): Position {
    const newestOfAll = later(floor, this.#evictedTo)
    // Whoever reads on in the unbroken part of the log need not be matched against what was evicted.
    if (selectors === 'all' || newestOfAll === floor) return newestOfAll
    let newest = floor
    const patterns: Selector[] = []
    for (const selector of selectors) {
      if (isPattern(selector)) patterns.push(selector)
      else newest = later(newest, this.#evictedToOf(topicOf(selector)))
    }
    return patterns.length === 0 ? newest : this.#newestEvictedMatch(patterns, newest)
  }

  /** The last event of each matching topic, oldest first. */
  lastEvents(selectors: readonly Selector[] | 'all'): StoredEvent[] {
    const matches = selectors === 'all' ? undefined : selectorTest(selectors)
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
    for (const order of this.#evictions) order.clear()
  }

  #evictedToOf(topic: Topic): Position | undefined {
    const record = this.#records.get(topic)
    if (!record?.forgottenTo) return record ? record.eviction?.position : this.#forgottenTo
    return later(record.forgottenTo, record.eviction?.position)
  }

  #newestEvictedMatch(patterns: readonly Selector[], floor: Position): Position {
    const set = new PatternSet(patterns)
    let newest = later(floor, this.#forgottenTo)
    for (const order of this.#evictions) newest = order.newestMatch((topic) => set.matches(topic), newest)
    return newest
  }

  #noteEviction(record: TopicRecord, position: Position): void {
    const order = this.#evictions[record.ruleIndex]
    if (record.eviction) {
      order?.renew(record.eviction, position)
    } else {
      record.eviction = new Eviction(record.topic, position)
      order?.add(record.eviction)
    }
  }

  #create(event: StoredEvent): TopicRecord {
    const record: TopicRecord = {
      topic: event.topic,
      ruleIndex: this.#ruleIndexOf(event.topic),
      last: event,
      forgottenTo: this.#forgottenTo,
      eviction: undefined,
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
    if (!record.eviction) return
    this.#forgottenTo = later(record.eviction.position, this.#forgottenTo)
    this.#evictions[record.ruleIndex]?.remove(record.eviction)
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
