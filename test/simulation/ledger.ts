// More than 300 lines, because every rule about what one reader is owed is checked on the same few facts.
import { parseEventId, type Position } from '@millrace/protocol'
import type { StoredEvent } from '@millrace/server'
import { checkContent, contentFault, numberOf } from './event-content.ts'
import { checkOldest, wasEvictedAfter } from './evictions.ts'
import { hasPosition, type Entry, type History, type Life } from './history.ts'
import type { Block } from './reference-parser.ts'
import { checkLastEvents, lastEventOf } from './last-events.ts'
import type { AwaitedMark, Knowledge, LedgerTerms, TopicsAdded } from './knowledge.ts'
import { must } from './violation.ts'
import { ValueLedger } from './value-ledger.ts'
import { isStateTopic, type Wants } from './wants.ts'

const RESETTING = new Set(['epoch_changed', 'ahead', 'unknown_id'])

/**
 * Keeps account of what one reader was owed and what it got, and throws a Violation at the first block that breaks
 * DESIGN.md §11.1 to §11.4. One ledger goes with the bytes that the engine writes on one stream; another with what one
 * client keeps over all of its connections.
 */
export class Ledger {
  events = 0
  notices = 0
  readonly #history: History
  #wants: Wants
  readonly #terms: LedgerTerms
  readonly values: ValueLedger
  /** Ephemeral events that arrived, by number. */
  readonly blips = new Set<number>()
  #awaitedMark: AwaitedMark | undefined
  #owedMark: string | undefined
  #added: TopicsAdded | undefined
  #knowledge: Knowledge = { kind: 'none' }
  #presented = ''
  /** The newest event that was delivered, or the place after which order begins anew. */
  #lastSeq = -1
  /** A forged id that cannot be told from a true one any more, because its entry was evicted. */
  #unproven: Position | undefined

  constructor(history: History, wants: Wants, terms: LedgerTerms) {
    this.#history = history
    this.#wants = wants
    this.#terms = terms
    this.values = new ValueLedger(history, wants)
  }

  /**
   * The reader asks for what follows this id. Empty: it holds none. `headThen`: the head when the id was made, if it was
   * not made by the log; a read under way may answer for one that asks the same later.
   */
  present(id: string, headThen: Position = this.#history.head): void {
    this.#presented = id
    this.#unproven = undefined
    if (id === '') {
      this.#knowledge = { kind: 'none' }
      this.#lastSeq = -1
      return
    }
    const position = this.#history.truePosition(id)
    if (position) this.#become(position, position.seq)
    else this.#knowledge = { kind: 'forged', id, position: parseEventId(id), headThen }
  }

  /** A reader without ids between events begins here at the latest; it may be given what came shortly before. */
  startBy(position: Position): void {
    this.#knowledge = { kind: 'at', position }
    this.#lastSeq = -1
  }

  /** What a reader inside the process is told of a gap. It gets no id with it. */
  takeGap({ reason, from, oldest }: { readonly reason: string; readonly from: string; readonly oldest: string }): void {
    this.#acceptUnprovable()
    const failed = this.#history.truePosition(from)
    if (failed) {
      must(failed.seq >= this.#lastSeq, '§8', () => `the gap is after ${from}, though ${this.#lastSeq} was read`)
      this.#become(failed, failed.seq)
    }
    const startsAtOldest = this.#wants.request.from === 'earliest'
    const life = this.#lifeOf(this.#truePosition(oldest).epoch)
    const to = startsAtOldest ? this.#truePosition(oldest) : this.#history.positionAt(life, life.headSeq)
    this.#checkReason(reason, to)
    this.#checkOldest(this.#truePosition(oldest), -1)
    if (startsAtOldest) this.#become(to, to.seq)
    else if (this.#wants.request.from === 'snapshot') this.#beginSnapshot()
    else this.startBy(to)
    this.notices++
  }

  /** The topics are changed where the stream is, if it is anywhere. */
  changeWants(wants: Wants, at: Position | undefined, from: 'now' | 'snapshot'): void {
    const { selects } = this.#wants
    this.#acceptUnprovable()
    if (at && this.#unproven?.epoch === at.epoch) this.#mustBeAt('a change of topics')
    const isElsewhere = this.#knowledge.kind === 'at' && at?.epoch !== this.#knowledge.position.epoch
    const isAt = at !== undefined && this.#knowledge.kind !== 'forged' && !isElsewhere
    if (isAt) this.#takeId(at)
    else if (this.#knowledge.kind === 'snapshot') this.#beginSnapshot()
    this.#wants = wants
    this.values.changeWants(wants)
    const before = this.#added
    const wasThere = (topic: string): boolean => selects(topic) || before?.wasThere(topic) === true
    const isNew = (topic: string): boolean => !selects(topic) || before?.isNew(topic) === true
    const isPromised = (topic: string): boolean => {
      if (selects(topic)) return before?.isPromised(topic) === true
      return isAt && from === 'snapshot' && before?.wasThere(topic) !== true
    }
    const seen = before?.seen ?? new Map<string, Block>()
    if (isAt || before) this.#added = { wasThere, isNew, isPromised, seen }
  }

  /** §8: of the topics that are new, the last event was given, unless a newer one takes its place. */
  #endAddition(position: Position): void {
    const added = this.#added
    this.#added = undefined
    if (!added) return
    checkLastEvents(this.#history, position, added.seen, this.#wants, added.isPromised)
  }

  get wants(): Wants {
    return this.#wants
  }

  /** Everything up to here was delivered, or a notice was. */
  get position(): Position | undefined {
    return this.#knowledge.kind === 'at' ? this.#knowledge.position : undefined
  }

  /** The event or control event of a block. `id`: the id that the reader keeps from it, if any. */
  take(block: Block, id: string | undefined): void {
    this.#acceptUnprovable()
    const awaited = this.#awaitedMark
    this.#awaitedMark = undefined
    const isMark = block.type === 'stream:end'
    must(!awaited?.isSure || isMark, '§8', () => `nothing says that ${awaited?.topic} is finished`)
    if (block.type === 'stream:sync-required') this.#takeNotice(block, id)
    else if (isMark) this.#takeMark(block, id, awaited)
    else if (block.type === 'stream:topics' && id !== undefined) {
      this.#takeId(this.#truePosition(id))
      this.#endAddition(this.#truePosition(id))
    } else if (block.data !== undefined && !block.type.startsWith('stream:')) this.#takeSaid(block, id)
    else if (id !== undefined) this.#takeId(this.#truePosition(id))
  }

  /** The stream was cut. If that was between the last event of a topic and its mark, the mark is owed by the next. */
  onCut(): void {
    if (this.#awaitedMark?.id !== undefined) this.#owedMark = this.#awaitedMark.topic
    this.#awaitedMark = undefined
  }

  /** The reader takes another id. */
  onForged(): void {
    this.#awaitedMark = undefined
    this.#owedMark = undefined
  }

  /** A topic that is finished without the reader having been told. */
  get owedMark(): string | undefined {
    const [{ life }, topic] = [this.#history, this.#owedMark]
    return topic !== undefined && lastEventOf(life, topic, life.headSeq)?.event.end ? topic : undefined
  }

  /** A snapshot is being given, or is to be: no id is held that vouches for anything. */
  get isInSnapshot(): boolean {
    return this.#knowledge.kind === 'snapshot'
  }

  /** It holds no id, and the stream began with no more than what comes now. */
  get isNowhere(): boolean {
    return this.#knowledge.kind === 'none' && this.#wants.request.from === 'now'
  }

  /** All topics that were asked for are finished, and the reader has it all. */
  get isFinished(): boolean {
    const { selectors } = this.#wants.request
    if (this.#knowledge.kind !== 'at' || selectors.some((selector) => /[*>]/.test(selector))) return false
    const { epoch, seq } = this.#knowledge.position
    return selectors.every((topic) => lastEventOf(this.#lifeOf(epoch), topic, seq)?.event.end === true)
  }

  #takeSaid(block: Block, id: string | undefined): void {
    const { request, selectsAny, accepts } = this.#wants
    const blip = numberOf(block, request, 'blip')
    if (blip !== undefined) {
      const event = this.#terms.blips.get(blip)
      must(event !== undefined && id === undefined, 'S2', () => `the ephemeral event ${blip} has the id ${id}`)
      must(selectsAny(event.topic) && accepts(event), 'S2', () => `the ephemeral event ${blip} was not wanted`)
      must(!this.blips.has(blip), '§11.3', () => `the ephemeral event ${blip} came twice`)
      this.blips.add(blip)
    } else if (block.topic !== undefined && isStateTopic(block.topic)) {
      if (id !== undefined) this.#takeId(this.#truePosition(id))
      const value = this.values.take(block, id)
      if (value.end) this.#awaitedMark = { topic: block.topic, id, value, isSure: id !== undefined }
    } else if (id === undefined) this.#takeOfSnapshot(block)
    else {
      this.#takeEvent(block, id)
      return
    }
    this.events++
  }

  #takeOfSnapshot(block: Block): void {
    const { request, owes } = this.#wants
    const { topic = '' } = block
    const seen = this.#snapshotOf(topic)
    const said = this.#history.lives.flatMap((life) => [...life.entries.values()])
    const found = said.filter(({ event }) => event.topic === topic && !contentFault(block, null, event, request))
    must(found.length > 0, '§4', () => `${topic} never had ${block.data}`)
    const wanted = found.filter(({ event }) => owes(event))
    must(wanted.length > 0, 'S2', () => `the last event of ${topic} was not wanted`)
    seen.set(topic, block)
    const ends = wanted.filter(({ event }) => event.end)
    if (ends.length > 0) this.#awaitedMark = { topic, id: undefined, isSure: ends.length === wanted.length }
  }

  #snapshotOf(topic: string): Map<string, Block> {
    if (this.#knowledge.kind === 'none' && this.#wants.request.from === 'snapshot') this.#beginSnapshot()
    const knowledge = this.#knowledge
    const added = knowledge.kind === 'at' && this.#added?.isNew(topic) ? this.#added : undefined
    const seen = knowledge.kind === 'snapshot' ? knowledge.seen : added?.seen
    must(seen !== undefined, '§5', () => `an event of ${topic} has no id, outside of a snapshot`)
    return seen
  }

  #beginSnapshot(): void {
    this.#knowledge = { kind: 'snapshot', seen: new Map() }
    this.#lastSeq = -1
  }

  /** §6: the snapshot had the last event of each topic, unless a newer one takes its place. */
  #endSnapshot(position: Position): void {
    const knowledge = this.#knowledge
    const isFresh = knowledge.kind === 'none' && this.#wants.request.from === 'snapshot'
    if (knowledge.kind !== 'snapshot' && !isFresh) return
    const seen = knowledge.kind === 'snapshot' ? knowledge.seen : new Map<string, Block>()
    checkLastEvents(this.#history, position, seen, this.#wants, () => true)
    this.#become(position, position.seq)
  }

  /** The last event of a topic says so at once, in the same bytes. */
  #awaitMark(topic: string, id: string | undefined): void {
    if (id === undefined) return
    const entry = this.#history.entryAt(this.#truePosition(id))
    if (entry?.event.end) this.#awaitedMark = { topic, id, isSure: true }
  }

  /** §8: a topic is finished. */
  #takeMark(block: Block, id: string | undefined, awaited: AwaitedMark | undefined): void {
    const { topic } = JSON.parse(block.data ?? 'null') as { topic: string }
    if (topic === this.#owedMark) this.#owedMark = undefined
    const isSame = topic === awaited?.topic && id === awaited.id
    must(isSame || !awaited?.isSure, '§8', () => `${awaited?.topic} ends, but ${topic} is finished`)
    if (isSame && !awaited?.value) return
    must(this.#wants.selectsAny(topic), 'S2', () => `${topic} is finished, but was not selected`)
    if (id === undefined) {
      this.#takeMarkWithoutId(block, topic, isSame ? awaited?.value : undefined)
      return
    }
    const position = this.#truePosition(id)
    const last = lastEventOf(this.#lifeOf(position.epoch), topic, position.seq)
    must(last?.event.end === true, '§8', () => `${topic} is not finished at ${id}`)
    if (isStateTopic(topic)) this.values.takeEnd([last.event], position)
    if (isSame) return
    this.#added?.seen.set(topic, block)
    const isOwed = this.#wants.owesMark(last.event) && last.event.position.seq === position.seq
    if (!isOwed || (this.#knowledge.kind === 'at' && position.seq <= this.#lastSeq)) {
      this.#takeId(position)
      return
    }
    this.#moveTo(position, `the mark ${id}`)
  }

  /** Of the value before, or of an event that is kept from the reader, in a snapshot or among the values. */
  #takeMarkWithoutId(block: Block, topic: string, value: StoredEvent | undefined): void {
    const said = this.#history.lives.flatMap((life) => [...life.entries.values()])
    const kept = said.findLast(({ event }) => event.topic === topic && event.end && !this.#wants.accepts(event))?.event
    must(value !== undefined || kept !== undefined, '§8', () => `the mark of ${topic} is of no event`)
    if (isStateTopic(topic)) this.values.takeEnd([value, kept], this.#reached)
    else this.#snapshotOf(topic).set(topic, block)
  }

  /** The oldest event that is owed and not delivered. */
  get firstOwed(): Entry | undefined {
    if (this.#knowledge.kind !== 'at') return undefined
    const { epoch, seq } = this.#knowledge.position
    const life = this.#lifeOf(epoch)
    return this.#firstBetween(life, seq, life.headSeq)
  }

  /** Everything up to here was delivered for certain. */
  get #reached(): Position | undefined {
    return this.#lastSeq >= 0 && !this.#terms.valuesLag ? this.position : undefined
  }

  #takeEvent(block: Block, id: string): void {
    const position = this.#truePosition(id)
    const entry = this.#history.entryAt(position)
    must(entry !== undefined, '§11.1', () => `${id} stands on an event, but names none`)
    const { event } = entry
    checkContent(block, id, event, this.#wants.request)
    must(this.#wants.selects(event.topic), 'S2', () => `${id} on ${event.topic} was not selected`)
    must(this.#wants.owes(event), 'S2', () => `${id} has type ${event.type} or a name, and was filtered out`)
    this.#moveTo(position, `event ${id}`)
    this.#added?.seen.set(event.topic, block)
    this.events++
    this.#awaitMark(event.topic, id)
  }

  /** Something that is owed once comes, and all that was owed before it has come. */
  #moveTo(position: Position, what: string): void {
    this.#endSnapshot({ ...position, seq: position.seq - 1 })
    if (this.#startsAtOldest) {
      this.#checkOldest({ ...position, seq: position.seq - 1 }, -1)
    } else if (!this.isNowhere) {
      const at = this.#mustBeAt(what)
      must(at.epoch === position.epoch, '§11.4', () => `${what} follows ${at.epoch}-${at.seq} without a notice`)
      must(position.seq > this.#lastSeq, '§11.3', () => `${what} follows event ${this.#lastSeq}`)
      this.#checkNothingMissing(this.#lastSeq >= 0 ? { ...at, seq: this.#lastSeq } : at, position.seq - 1, what)
    }
    this.#become(position, position.seq)
  }

  /** An id that stands on no event of ours vouches for everything up to it. */
  #takeId(position: Position): void {
    this.#endSnapshot(position)
    if (this.#knowledge.kind === 'none') {
      if (this.#startsAtOldest) this.#checkOldest(position, -1)
      this.#become(position, position.seq)
      return
    }
    const at = this.#mustBeAt(`id ${position.epoch}-${position.seq}`)
    must(
      at.epoch === position.epoch,
      '§11.4',
      () => `the id moves from ${at.epoch} to ${position.epoch} without a notice`,
    )
    must(position.seq >= at.seq, '§11.1', () => `the id goes back from ${at.seq} to ${position.seq}`)
    this.#checkNothingMissing(at, position.seq, `the id ${position.epoch}-${position.seq}`)
    this.#become(position, Math.max(this.#lastSeq, position.seq))
  }

  #takeNotice(block: Block, id: string | undefined): void {
    this.#added = undefined
    const isSnapshot = this.#wants.request.from === 'snapshot'
    must(isSnapshot ? id === undefined : id !== undefined, '§8', () => `sync-required has the id ${id}`)
    const to = id === undefined ? this.#history.head : this.#truePosition(id)
    const { reason, from, oldest } = JSON.parse(block.data ?? 'null') as {
      reason: string
      from: string
      oldest: string
    }
    if (this.#knowledge.kind === 'snapshot' || (this.#knowledge.kind === 'none' && isSnapshot)) {
      this.#endSnapshot(this.#truePosition(from))
    }
    if (this.isNowhere) this.startBy(this.#truePosition(from))
    const isAsked = reason === 'slow' || reason === 'too_far'
    const isElsewhere = this.#knowledge.kind === 'at' && this.#knowledge.position.epoch !== to.epoch
    const resets = RESETTING.has(reason) || (isAsked && isElsewhere)
    if (this.#startsAtOldest) {
      const start = this.#truePosition(from)
      this.#checkOldest(start, -1)
      this.#become(start, start.seq)
    }
    if (!RESETTING.has(reason) || (this.#unproven && from !== this.#presented)) this.#mustBeAt('a notice')
    this.#checkReason(reason, to)
    this.#checkNoticeData(from, oldest)
    if (isSnapshot) {
      this.#beginSnapshot()
      this.notices++
      this.#owedMark = undefined
      return
    }
    if (!resets) {
      const at = this.#mustBeAt('a notice')
      must(
        to.epoch === at.epoch && to.seq >= at.seq,
        '§11.1',
        () => `the notice takes the id from ${at.epoch}-${at.seq} back to ${id}`,
      )
    }
    const already = !resets && this.#knowledge.kind === 'at' ? this.#knowledge.position.seq : -1
    if (this.#wants.request.from === 'earliest' && !isAsked) this.#checkOldest(to, already)
    this.#become(to, resets ? to.seq : Math.max(this.#lastSeq, to.seq))
    this.notices++
    this.#owedMark = undefined
  }

  /** §11.4: the reason is true. */
  #checkReason(reason: string, to: Position): void {
    const knowledge = this.#knowledge
    const present = this.#history.life
    if (knowledge.kind === 'none') must(false, '§11.4', () => `${reason} is told to a reader without an id`)
    else if (knowledge.kind === 'snapshot') must(false, '§11.4', () => `${reason} is told in a snapshot`)
    else if (knowledge.kind === 'forged') {
      const { position, headThen, id } = knowledge
      const life = position && this.#history.lifeOf(position.epoch)
      const isTrue = {
        unknown_id: position === undefined,
        ahead: position !== undefined && position.epoch === headThen.epoch && position.seq > headThen.seq,
        epoch_changed:
          position !== undefined &&
          (life !== present ||
            position.epoch !== headThen.epoch ||
            hasPosition(life, position.seq) ||
            position.seq <= life.headSeq),
      }[reason]
      must(isTrue === true, '§11.4', () => `${reason} is not why ${JSON.stringify(id)} is no good`)
    } else {
      const at = knowledge.position
      const life = this.#lifeOf(at.epoch)
      const isTrue = {
        epoch_changed: life !== present && to.epoch !== at.epoch,
        too_old: wasEvictedAfter(life, at.seq, this.#wants, this.#terms.exactEviction),
        slow: (this.#wants.request.slowPolicy ?? this.#terms.slowPolicy) === 'sync',
        too_far: this.#terms.maxReplayCount !== false && this.events >= this.#terms.maxReplayCount,
      }[reason]
      must(isTrue === true, '§11.4', () => `${reason} is told at ${at.epoch}-${at.seq}, and is not true`)
    }
  }

  #checkNoticeData(from: string, oldest: string): void {
    const knowledge = this.#knowledge
    if (knowledge.kind === 'at' && from !== this.#presented) {
      const position = this.#truePosition(from)
      const { epoch, seq } = knowledge.position
      must(position.epoch === epoch && position.seq >= seq, '§8', () => `from is ${from}, before ${epoch}-${seq}`)
    } else if (knowledge.kind === 'forged') {
      const { id } = knowledge
      must(from === id.slice(0, 128), '§8', () => `from is ${JSON.stringify(from)}, not ${JSON.stringify(id)}`)
    }
    this.#checkOldest(this.#truePosition(oldest), -1)
  }

  #checkOldest(position: Position, alreadySeq: number): void {
    checkOldest(this.#lifeOf(position.epoch), position.seq, alreadySeq, this.#wants, this.#terms.exactEviction)
  }

  /** No id is held, and the stream is to begin with the oldest event: nothing that is kept may come before the first. */
  get #startsAtOldest(): boolean {
    return this.#knowledge.kind === 'none' && this.#wants.request.from === 'earliest'
  }

  /** The check of an evicted entry may be forgotten: an id at its place may be taken for a true one. */
  #acceptUnprovable(): void {
    if (this.#knowledge.kind !== 'forged') return
    const { position } = this.#knowledge
    const life = position && this.#history.lifeOf(position.epoch)
    if (!position || !life) return
    const entry = life.entries.get(position.seq)
    const isUnprovable = entry ? entry.evicted : life.marks.has(position.seq)
    if (isUnprovable) this.#unproven = position
  }

  #mustBeAt(what: string): Position {
    if (this.#knowledge.kind === 'at') return this.#knowledge.position
    const { kind } = this.#knowledge
    const unproven = this.#unproven
    must(unproven !== undefined && kind === 'forged', '§11.4', () => {
      return kind === 'none' ? `${what} comes before any id` : `${what} comes before the notice that the id is no good`
    })
    this.#become(unproven, unproven.seq)
    return unproven
  }

  #become(position: Position, lastSeq: number): void {
    this.#knowledge = { kind: 'at', position }
    this.#lastSeq = lastSeq
    this.#unproven = undefined
  }

  #checkNothingMissing(at: Position, toSeq: number, before: string): void {
    const missed = this.#firstBetween(this.#lifeOf(at.epoch), at.seq, toSeq)
    must(missed === undefined, '§11.3', () => {
      const { position, topic } = (missed as Entry).event
      return `${before} comes while ${position.epoch}-${position.seq} on ${topic} is missing`
    })
  }

  #firstBetween(life: Life, afterSeq: number, toSeq: number): Entry | undefined {
    for (let seq = afterSeq + 1; seq <= toSeq; seq++) {
      const entry = life.entries.get(seq)
      if (!entry || this.#added?.isNew(entry.event.topic)) continue
      if (this.#wants.owes(entry.event) || this.#wants.owesMark(entry.event)) return entry
    }
    return undefined
  }

  #truePosition(id: string): Position {
    // An id that cannot be told from a true one is said again when nothing has come after it.
    const position = this.#history.truePosition(id) ?? (id === this.#presented ? this.#unproven : undefined)
    must(position !== undefined, '§11.1', () => `the id ${id} names no position of the log`)
    return position
  }

  #lifeOf(epoch: string): Life {
    return this.#history.lifeOf(epoch) as Life
  }
}
