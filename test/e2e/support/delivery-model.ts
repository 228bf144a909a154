// More than 300 lines: what a client is owed is one set of rules, which is judged in one place.
import { compileSelectors, parseEventId, parseSelector, parseTopic } from '@millrace/protocol'
import type { Entry, Leg, RoamingClient, Wish } from './roaming-client.ts'

/** An event as its publisher sent it, with the id that was answered. */
export interface Published {
  readonly id: string
  readonly topic: string
  readonly type: string
  /** No two events have the same. */
  readonly text: string
  readonly except: string | undefined
  readonly end: boolean
  readonly key: string
}

interface Known extends Published {
  readonly seq: number
  readonly isState: boolean
  /** Whether it is of a topic of which some are not kept. */
  readonly isEvictable: boolean
}

/** An event that is not kept. */
export interface Passing {
  readonly topic: string
  readonly type: string
  readonly text: string
  readonly except: string | undefined
}

export interface ModelOptions {
  isState(topic: string): boolean
  isEvictable(topic: string): boolean
}

/** So many events may be published while a snapshot is read page by page. */
const MAX_MEANWHILE = 200

/** All that was published, and what is owed of it: knows nothing of how a hub works. */
export class DeliveryModel {
  readonly #options: ModelOptions
  readonly #byText = new Map<string, Known>()
  readonly #passing = new Map<string, Passing>()
  #inOrder: readonly Known[] | undefined

  constructor(options: ModelOptions) {
    this.#options = options
  }

  add(event: Published): void {
    const seq = parseEventId(event.id)?.seq ?? Number.NaN
    const { isState, isEvictable } = this.#options
    this.#inOrder = undefined
    this.#byText.set(event.text, {
      ...event,
      seq,
      isState: isState(event.topic),
      isEvictable: isEvictable(event.topic),
    })
  }

  addPassing(event: Passing): void {
    this.#passing.set(event.text, event)
  }

  get inOrder(): readonly Known[] {
    return (this.#inOrder ??= [...this.#byText.values()].sort((one, other) => one.seq - other.seq))
  }

  known(text: string): Known | undefined {
    return this.#byText.get(text)
  }

  passing(text: string): Passing | undefined {
    return this.#passing.get(text)
  }

  /** Events with `seq` above the first and not above the second. All are known: the first has seq 1. */
  between(afterSeq: number, untilSeq: number): readonly Known[] {
    return this.inOrder.slice(afterSeq, untilSeq)
  }

  /** The last events of the log topics that are wanted, as of a place; by topic. */
  lastEvents(wants: (topic: string) => boolean, atSeq: number): ReadonlyMap<string, Known> {
    const last = new Map<string, Known>()
    for (const event of this.inOrder) {
      if (event.seq > atSeq) break
      if (!event.isState && wants(event.topic)) last.set(event.topic, event)
    }
    return last
  }

  /** The newest value of each key, if it is for who wishes this. */
  newestValuesFor(topics: readonly string[], wish: Wish): readonly Known[] {
    const wants = wantedBy(topics)
    const newest = new Map<string, Known>()
    for (const event of this.inOrder) if (event.isState && wants(event.topic)) newest.set(keyOf(event), event)
    return [...newest.values()].filter((value) => accepts(wish, value))
  }
}

/** Topics were changed, and the place from which they hold is not known yet. */
interface Change {
  readonly isOld: (topic: string) => boolean
  readonly isNew: (topic: string) => boolean
  readonly from: 'now' | 'snapshot'
  readonly lowerSeq: number
  readonly received: Set<string>
  /** Events of log topics that came without an id. */
  readonly bare: Known[]
  /** A gap was told meanwhile: what came before it cannot be judged. */
  hasGap: boolean
}

/** Goes through all that a client was told, and says what is wrong with it. */
export class Judge {
  readonly faults: string[] = []
  /** How often what was told. */
  readonly tally: Map<string, number> = new Map()
  readonly #model: DeliveryModel
  readonly #name: string
  readonly #wish: Wish
  readonly #values = new Map<string, number>()
  readonly #passed = new Set<string>()
  /** Everything up to here was received, or a gap was told; undefined until there is an id. */
  #seq: number | undefined
  #isWanted: (topic: string) => boolean = () => false
  /** The events of a snapshot that is being received. */
  #snapshot: Known[] | undefined
  #change: Change | undefined
  #ended = new Set<string>()
  #leg: Leg | undefined
  #at = 0

  constructor(model: DeliveryModel, { name, wish }: RoamingClient) {
    this.#model = model
    this.#name = name
    this.#wish = wish
  }

  judge({ legs, topics }: RoamingClient, lastSeq: number): void {
    for (const leg of legs) this.#judgeLeg(leg)
    if ((this.#seq ?? -1) < lastSeq) this.#say(`is at ${this.#seq} in the end, not at ${lastSeq}`)
    for (const value of this.#model.newestValuesFor(topics, this.#wish)) {
      const seq = this.#values.get(keyOf(value))
      if (seq !== value.seq) this.#say(`has value ${seq} of ${keyOf(value)} in the end, not ${value.seq}`)
    }
  }

  #judgeLeg(leg: Leg): void {
    this.#leg = leg
    this.#ended = new Set()
    this.#change = undefined
    this.#isWanted = wantedBy(leg.topics)
    this.#seq = leg.after === '' ? undefined : parseEventId(leg.after)?.seq
    this.#snapshot = leg.after === '' && this.#wish.from === 'snapshot' ? [] : undefined
    if (leg.after === '' && this.#wish.from === 'earliest' && !this.#mayLackOld()) this.#seq = 0
    for (const [i, entry] of leg.entries.entries()) {
      this.#at = i
      if (entry.kind === 'changed') this.#beginChange(entry)
      else if (entry.kind === 'control') this.#onControl(entry, leg)
      else if (entry.id === undefined) this.#onBare(entry)
      else this.#onEvent(entry, entry.id)
    }
    if (this.#change) this.#settleChange(this.#change, this.#seq ?? 0, false)
  }

  #mayLackOld(): boolean {
    return this.#model.inOrder.some(({ isEvictable, topic }) => isEvictable && this.#isWanted(topic))
  }

  #beginChange({ topics, from }: Extract<Entry, { kind: 'changed' }>): void {
    this.#count('change')
    const isNew = wantedBy(topics)
    const isOld = this.#isWanted
    this.#change = { isOld, isNew, from, lowerSeq: this.#seq ?? 0, received: new Set(), bare: [], hasGap: false }
    this.#isWanted = (topic) => isOld(topic) || isNew(topic)
  }

  #onEvent(entry: Extract<Entry, { kind: 'event' }>, id: string): void {
    const event = this.#model.known(entry.text)
    if (!event || event.id !== id || event.topic !== entry.topic || event.type !== entry.type) {
      this.#say(`got ${JSON.stringify(entry)}, which is not what was published`)
      return
    }
    this.#count('event')
    if (this.#seq !== undefined && event.seq <= this.#seq) this.#say(`got ${event.seq} after ${this.#seq}`)
    if (!this.#isWanted(event.topic) || !this.#accepts(event)) this.#say(`got ${shown(event)}, which is not for it`)
    if (this.#snapshot) this.#settleSnapshot(this.#snapshot, event.seq - 1)
    if (this.#seq !== undefined) this.#passTo(event.seq - 1)
    if (this.#change) this.#change.received.add(event.id)
    if (event.isState) this.#noteValue(event)
    if (this.#leg?.isPoll && entry.end !== event.end) this.#say(`got ${shown(event)} with end ${entry.end}`)
    if (event.end && !this.#leg?.isPoll) this.#wantsEndNext(event)
    this.#seq = Math.max(this.#seq ?? 0, event.seq)
  }

  /** The end of a topic is told in the same bytes as its last event. */
  #wantsEndNext({ seq, topic, id }: Known): void {
    this.#count('end')
    const entries = this.#leg?.entries.slice(this.#at + 1).filter(({ kind }) => kind !== 'changed') ?? []
    const [next] = entries
    if (!next) return
    const isEnd = next.kind === 'control' && next.type === 'stream:end' && next.id === id
    if (!isEnd) this.#say(`was not told at ${seq} that ${topic} is finished, but ${JSON.stringify(next)}`)
  }

  /** An event without an id: of a snapshot, a value that came late, or one that is not kept. */
  #onBare({ text, topic, type }: Extract<Entry, { kind: 'event' }>): void {
    const passing = this.#model.passing(text)
    if (passing) {
      this.#count('ephemeral')
      if (this.#passed.has(text)) this.#say(`got ${text} twice`)
      this.#passed.add(text)
      if (this.#leg?.isPoll) this.#say(`got the ephemeral ${text} from a poll`)
      if (passing.topic !== topic || passing.type !== type) this.#say(`got ${text} as ${topic} ${type}`)
      if (!this.#isWanted(topic) || !this.#accepts(passing)) this.#say(`got ${text}, which is not for it`)
      return
    }
    const event = this.#model.known(text)
    if (!event || event.topic !== topic || event.type !== type) {
      this.#say(`got ${text} on ${topic} without an id, which was never published`)
      return
    }
    if (!this.#isWanted(topic) || !this.#accepts(event)) this.#say(`got ${shown(event)}, which is not for it`)
    if (event.isState) this.#noteValue(event)
    else if (this.#snapshot) this.#snapshot.push(event)
    else if (this.#change?.from === 'snapshot') this.#change.bare.push(event)
    else this.#say(`got ${shown(event)} without an id`)
  }

  #noteValue(event: Known): void {
    this.#count('value')
    const key = keyOf(event)
    const before = this.#values.get(key) ?? -1
    if (event.seq < before) this.#say(`got value ${event.seq} of ${key} after ${before}`)
    this.#values.set(key, event.seq)
  }

  #onControl({ type, id, data }: Extract<Entry, { kind: 'control' }>, leg: Leg): void {
    this.#count(type)
    if (type === 'stream:sync-required') {
      this.#onGap(data as { reason: string; from: string }, id, leg)
      return
    }
    if (type === 'stream:end') this.#onEnd(data as { topic: string }, id)
    if (id === undefined) return
    const seq = parseEventId(id)?.seq ?? Number.NaN
    const published = this.#model.inOrder.find((event) => event.seq === seq)
    if (published ? published.id !== id : seq !== 0) this.#say(`got ${type} with the id ${id}, which is nobody's`)
    if (this.#seq !== undefined && seq < this.#seq) this.#say(`got ${type} at ${seq} after ${this.#seq}`)
    if (this.#snapshot) this.#settleSnapshot(this.#snapshot, seq)
    if (this.#change && type === 'stream:topics') this.#settleChange(this.#change, seq, true)
    this.#passTo(seq)
  }

  #onEnd({ topic }: { topic: string }, id: string | undefined): void {
    const seq = id === undefined ? Infinity : (parseEventId(id)?.seq ?? 0)
    const isFinished = this.#model.inOrder.some((event) => event.topic === topic && event.end && event.seq <= seq)
    if (!isFinished || !this.#isWanted(topic)) this.#say(`was told at ${seq} that ${topic} is finished`)
    if (id !== undefined) this.#ended.add(`${topic} ${id}`)
  }

  #onGap({ reason, from }: { reason: string; from: string }, id: string | undefined, leg: Leg): void {
    const before = parseEventId(from)?.seq
    if (reason !== 'too_old' || before === undefined) this.#say(`was told of a gap ${reason} from ${from}`)
    if (before !== undefined && before < (this.#seq ?? 0)) this.#say(`was told of a gap from ${before}`)
    const isLost = this.#model
      .between(before ?? 0, Infinity)
      .some(({ isEvictable, topic }) => isEvictable && this.#isWanted(topic))
    if (!isLost) this.#say(`was told of a gap after ${from}, where nothing was evicted`)
    if (this.#change) this.#change.hasGap = true
    this.#seq = id === undefined ? undefined : parseEventId(id)?.seq
    const isSnapshotNext = this.#wish.from === 'snapshot' && id === undefined
    this.#snapshot = isSnapshotNext ? [] : undefined
    if (id === undefined && !isSnapshotNext && !leg.isPoll) this.#say('was told of a gap without an id')
  }

  /** It is at this place now, and has had everything up to it. */
  #passTo(seq: number): void {
    const isOpen = this.#change !== undefined || this.#seq === undefined
    const passed = isOpen ? [] : this.#model.between(this.#seq ?? 0, seq)
    for (const event of passed) {
      if (event.isState || !this.#isWanted(event.topic)) continue
      const isTold = this.#ended.has(`${event.topic} ${event.id}`)
      if (this.#accepts(event)) this.#say(`lacks ${shown(event)} between ${this.#seq} and ${seq}`)
      else if (event.end && !isTold) this.#say(`was not told that ${shown(event)} is the end`)
    }
    this.#seq = Math.max(this.#seq ?? 0, seq)
  }

  /** There is a place of which the snapshot is, and after which nothing is missing up to `untilSeq`. */
  #settleSnapshot(snapshot: readonly Known[], untilSeq: number): void {
    this.#snapshot = undefined
    if (this.#change) {
      // It begins anew with the new topics, whenever they come.
      this.#seq = untilSeq
      return
    }
    this.#count('snapshot')
    const isInOrder = snapshot.every(({ seq }, i) => seq > (snapshot[i - 1]?.seq ?? -1))
    if (!isInOrder) this.#say(`got a snapshot out of order: ${snapshot.map(({ seq }) => seq).join()}`)
    const seqs = [0, ...this.#model.inOrder.map(({ seq }) => seq)]
    const places = seqs.filter((seq) => seq >= (snapshot.at(-1)?.seq ?? 0) && seq <= untilSeq)
    const at = places.findLast((seq) => this.#isSnapshotOf(snapshot, seq, this.#isWanted))
    if (at === undefined) {
      this.#say(`got the snapshot ${snapshot.map(shown).join()}, which is not that of any place up to ${untilSeq}`)
    }
    this.#seq = at ?? untilSeq
  }

  /** What is replaced while a snapshot is being read may be left out: its successor comes anyway. */
  #isSnapshotOf(snapshot: readonly Known[], seq: number, wants: (topic: string) => boolean): boolean {
    const last = [...this.#model.lastEvents(wants, seq).values()].filter((event) => this.#accepts(event))
    const soon = this.#model.between(seq, seq + MAX_MEANWHILE)
    const isReplaced = ({ topic }: Known): boolean => soon.some((event) => event.topic === topic)
    return (
      snapshot.every((event) => last.includes(event)) &&
      last.every((event) => snapshot.includes(event) || isReplaced(event))
    )
  }

  /** There is a place before which the old topics were sent, and after which the new ones were. */
  #settleChange(change: Change, untilSeq: number, isConfirmed: boolean): void {
    const { isOld, isNew, from, lowerSeq, received, bare } = change
    this.#change = undefined
    this.#isWanted = isNew
    this.#seq = Math.max(this.#seq ?? 0, isConfirmed ? untilSeq : 0)
    if (change.hasGap) return
    const owed = this.#model
      .between(lowerSeq, untilSeq)
      .filter((event) => !event.isState && this.#accepts(event) && (isOld(event.topic) || isNew(event.topic)))
    const seqs = { gotOld: lowerSeq, lacksOld: Infinity, gotNew: Infinity, lacksNew: lowerSeq }
    for (const { seq, id, topic } of owed) {
      const has = received.has(id)
      if (isOld(topic) && isNew(topic)) {
        if (!has) this.#say(`lacks ${id} on ${topic}, which it asked for before and after a change of topics`)
      } else if (isOld(topic)) {
        if (has) seqs.gotOld = seq
        else seqs.lacksOld = Math.min(seqs.lacksOld, seq)
      } else if (has) seqs.gotNew = Math.min(seqs.gotNew, seq)
      else seqs.lacksNew = seq
    }
    if (from === 'now') {
      const lower = Math.max(seqs.gotOld, seqs.lacksNew)
      const upper = Math.min(isConfirmed ? untilSeq : Infinity, seqs.lacksOld - 1, seqs.gotNew - 1)
      if (isConfirmed && lower > upper) this.#say(`changed topics nowhere: ${JSON.stringify({ ...seqs, untilSeq })}`)
    } else if (isConfirmed) {
      if (seqs.gotOld >= seqs.lacksOld) this.#say(`lacks ${seqs.lacksOld} before a change of topics`)
      const added = (topic: string): boolean => isNew(topic) && !isOld(topic)
      const places = [lowerSeq, ...this.#model.between(lowerSeq, untilSeq).map(({ seq }) => seq)]
      const fits = places.some(
        (seq) => seq >= seqs.lacksNew && seq < seqs.gotNew && this.#isSnapshotOf(bare, seq, added),
      )
      if (!fits) this.#say(`got ${bare.map(shown).join()} of new topics, which fits nowhere: ${JSON.stringify(seqs)}`)
    }
  }

  #accepts(event: Pick<Published, 'type' | 'except'>): boolean {
    return accepts(this.#wish, event)
  }

  #count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1)
  }

  #say(fault: string): void {
    const { transport, after } = this.#leg ?? {}
    this.faults.push(`${this.#name} over ${transport} after ${after || 'nothing'} [${this.#at}]: ${fault}`)
  }
}

function wantedBy(topics: readonly string[]): (topic: string) => boolean {
  const matches = compileSelectors(topics.map((topic) => parseSelector(topic)))
  return (topic) => matches(parseTopic(topic))
}

function accepts({ types, client }: Wish, { type, except }: Pick<Published, 'type' | 'except'>): boolean {
  return (types.length === 0 || types.includes(type)) && (except === undefined || except !== client)
}

function keyOf({ topic, key }: Pick<Published, 'topic' | 'key'>): string {
  return `${topic}/${key}`
}

function shown({ id, topic, text }: Published): string {
  return `${id} on ${topic} (${text.slice(0, 20)})`
}
