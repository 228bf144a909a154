import { isPattern, type Position, type Selector, type Topic } from '@millrace/protocol'
import type { StoredEvent } from '../log.ts'
import { Eviction, EvictionOrder, later } from './eviction-order.ts'
import { EventList, type Slot } from './event-list.ts'
import { PatternSet } from './pattern-set.ts'
import type { SnapshotSource } from './snapshot-page.ts'
import { ruleIndexOf, type ResolvedTopicRule } from './topic-rules.ts'

/** What the log keeps of a topic, whatever retention does. */
interface TopicRecord {
  readonly topic: Topic
  readonly ruleIndex: number
  /** Its last event. */
  last: Slot
  /** Up to here nothing is known of it: it was new to the index, and may be one that was forgotten. */
  readonly forgottenTo: Position | undefined
  /** Its newest evicted event. */
  eviction: Eviction | undefined
}

/**
 * The log topics: of each the last event, and how far it was evicted. Beyond `maxTopics` it forgets the topic
 * whose last event is the oldest. A topic that is not in the index counts as evicted up to `forgottenTo`.
 */
export class TopicIndex implements SnapshotSource {
  /** The last event of each topic. */
  readonly newest: EventList = new EventList()
  readonly #maxTopics: number
  readonly #rules: readonly ResolvedTopicRule[]
  readonly #onForgotten: (topic: Topic) => void
  readonly #records = new Map<Topic, TopicRecord>()
  /** By rule. */
  readonly #evictions: readonly EvictionOrder[]
  #hasForgotten = false
  #forgottenTo: Position | undefined
  /** The newest evicted event of all topics. */
  #evictedTo: Position | undefined

  constructor(maxTopics: number, rules: readonly ResolvedTopicRule[], onForgotten: (topic: Topic) => void) {
    this.#maxTopics = maxTopics
    this.#rules = rules
    this.#evictions = rules.map(() => new EvictionOrder())
    this.#onForgotten = onForgotten
  }

  get count(): number {
    return this.#records.size
  }

  has(topic: Topic): boolean {
    return this.#records.has(topic)
  }

  slotsOf(topic: Topic): Slot[] {
    const record = this.#records.get(topic)
    return record ? [record.last] : []
  }

  /** Notes an event, which is newer than all others. Returns the index of its topic's rule. */
  noteAppended(event: StoredEvent): number {
    const last: Slot = { seq: event.position.seq, event }
    let record = this.#records.get(event.topic)
    if (record) {
      this.newest.drop(record.last)
      record.last = last
    } else {
      record = this.#create(event.topic, last)
    }
    this.newest.push(last)
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

  /** Whether a topic that matches may have been forgotten. */
  mayLack(selectors: readonly Selector[] | 'all'): boolean {
    if (!this.#hasForgotten) return false
    return (
      selectors === 'all' || selectors.some((selector) => isPattern(selector) || this.#mayLackTopic(topicOf(selector)))
    )
  }

  clear(): void {
    this.#records.clear()
    this.newest.clear()
    for (const order of this.#evictions) order.clear()
  }

  #mayLackTopic(topic: Topic): boolean {
    return !this.#records.has(topic) && this.#rules[ruleIndexOf(this.#rules, topic)]?.kind === 'log'
  }

  #evictedToOf(topic: Topic): Position | undefined {
    const record = this.#records.get(topic)
    if (!record) return this.#mayLackTopic(topic) ? this.#forgottenTo : undefined
    if (!record.forgottenTo) return record.eviction?.position
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

  #create(topic: Topic, last: Slot): TopicRecord {
    const ruleIndex = ruleIndexOf(this.#rules, topic)
    const record: TopicRecord = { topic, ruleIndex, last, forgottenTo: this.#forgottenTo, eviction: undefined }
    this.#records.set(topic, record)
    return record
  }

  #forgetOldest(): void {
    const topic = this.newest.oldest?.event?.topic
    const record = topic && this.#records.get(topic)
    if (!record) return
    this.newest.drop(record.last)
    this.#records.delete(record.topic)
    this.#onForgotten(record.topic)
    this.#hasForgotten = true
    if (!record.eviction) return
    this.#forgottenTo = later(record.eviction.position, this.#forgottenTo)
    this.#evictions[record.ruleIndex]?.remove(record.eviction)
  }
}

/** A selector that is no pattern is a topic. */
function topicOf(selector: Selector): Topic {
  return selector as string as Topic
}
