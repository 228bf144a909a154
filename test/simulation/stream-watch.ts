import type { Position } from '@millrace/protocol'
import type { From, HubLimits, Payload } from '@millrace/server'
import type { Ledger } from './ledger.ts'
import { RateWatch } from './rate-watch.ts'
import { ReferenceParser, type Block } from './reference-parser.ts'
import { must } from './violation.ts'
import { isStateTopic } from './wants.ts'

export interface StreamTerms {
  readonly ledger: Ledger
  readonly limits: HubLimits
  /** The id that the client asked with; empty when it had none. */
  readonly presented: string
  /** The head of the log when that id was made, if no stream gave it to the client. */
  readonly headThen: Position | undefined
  readonly from: From
  /** What the node has certainly flushed before it admitted the stream. */
  readonly flushedBefore: Position | undefined
  /** Whether the stream may begin with values of state topics. */
  readonly mayOweValues: boolean
  /** The least time between two values of a key, while the stream stays live. Milliseconds; 0 for none. */
  readonly valueIntervalMs: number
  /** In which order ephemeral events were handed to nodes, by number. */
  readonly blipOrder: ReadonlyMap<number, number>
}

/** Control overhead that may stand in a buffer beside one frame. Bytes. */
const CONTROL_BYTES = 250
const EVENT_FIELDS = ['id', 'event', 'topic', 'data']

/** Reads one stream as the engine writes it, uncut: the first that must be right. */
export class StreamWatch {
  caughtUps = 0
  /** The client was told that the node goes away, and when to come again. */
  saidFarewell = false
  /** Proves that the stream was read from its beginning. */
  secret: string | undefined
  /** What `stream:topics` is to say. */
  awaited: { readonly topics: readonly string[]; readonly revision: number } | undefined
  /** The last block was an event that has no id. */
  endedInValue = false
  /** When the engine last wrote. Milliseconds. */
  lastWriteAtMs: number
  readonly #terms: StreamTerms
  readonly #parser = new ReferenceParser()
  #retryMs: number | undefined
  /** The last one since the stream began. */
  #lastRetryMs = 0
  #isConnected = false
  #eventsSinceConnected = 0
  /** Events of log topics that had an id. */
  #idsSinceConnected = 0
  #largestBytes = 0
  readonly rates: RateWatch
  #lastBlipOrder = 0

  constructor(terms: StreamTerms, nowMs: number) {
    this.#terms = terms
    this.rates = new RateWatch(terms.valueIntervalMs)
    this.lastWriteAtMs = nowMs
    terms.ledger.present(terms.presented, terms.headThen)
  }

  /** Events of log topics that had an id. */
  get idsSinceConnected(): number {
    return this.#idsSinceConnected
  }

  get ledger(): Ledger {
    return this.#terms.ledger
  }

  take(payload: Payload, bufferedBytes: number, nowMs: number, isLive: boolean): void {
    const blocks = this.#parser.push(payload.bytes)
    must(this.#parser.betweenBlocks, '§9', () => 'a payload ends inside a block')
    this.lastWriteAtMs = nowMs
    for (const block of blocks) {
      this.#largestBytes = Math.max(this.#largestBytes, block.byteLength)
      const { values, blips } = this.ledger
      values.newest = undefined
      const blipsBefore = blips.size
      this.#takeBlock(block)
      if (values.newest) this.rates.note(values.newest)
      if (block.type === 'stream:end') this.rates.noteEnd((JSON.parse(block.data ?? 'null') as { topic: string }).topic)
      if (blips.size > blipsBefore) this.#checkBlip([...blips].at(-1) ?? 0, isLive)
    }
    this.rates.check(nowMs, isLive)
    must(this.#isConnected, '§5', () => 'the first write has no stream:connected')
    const { maxBufferBytes } = this.#terms.limits
    must(bufferedBytes <= maxBufferBytes + this.#largestBytes + CONTROL_BYTES, '§7', () => {
      return `${bufferedBytes} bytes wait, with maxBufferBytes ${maxBufferBytes} and frames of up to ${this.#largestBytes}`
    })
  }

  /** S7: an ephemeral event comes to who is live, in order. */
  #checkBlip(number: number, isLive: boolean): void {
    const order = this.#terms.blipOrder.get(number) ?? 0
    must(isLive, 'S7', () => `the ephemeral event ${number} came to who is catching up`)
    must(order > this.#lastBlipOrder, 'S7', () => `the ephemeral event ${number} came after a later one`)
    this.#lastBlipOrder = order
  }

  #takeBlock(block: Block): void {
    if (block.type === 'stream:topics') this.#takeTopics(block)
    this.endedInValue = block.id === undefined && block.data !== undefined
    this.#retryMs ??= block.retryMs
    this.#lastRetryMs = block.retryMs ?? this.#lastRetryMs
    if (block.type === 'stream:connected') this.#lastRetryMs = 0
    const isTyped = block.type !== '' || block.data !== undefined || block.id !== undefined
    if (isTyped && !this.#isConnected) this.#takeConnected(block)
    if (block.id !== undefined)
      must(block.data !== undefined, '§5', () => `id ${block.id} stands in a block without data`)
    const eventsBefore = this.ledger.events
    this.ledger.take(block, block.id)
    if (block.type === 'stream:connected') this.#checkFreshStart()
    if (this.ledger.events > eventsBefore) this.#takeEvent(block)
    else if (block.type === 'stream:caught-up') this.#takeCaughtUp(block)
    else if (block.type === 'stream:position') must(block.id !== undefined, '§5', () => 'stream:position has no id')
    else if (isTyped) this.#checkControl(block.type)
    if (block.type === 'stream:shutdown') this.saidFarewell = this.#lastRetryMs > 0
  }

  #takeConnected(block: Block): void {
    const { limits, presented } = this.#terms
    must(block.type === 'stream:connected', '§5', () => `the stream begins with ${block.type || 'an event'}`)
    const retryMs = this.#retryMs
    const { retryMs: middleMs } = limits
    must(retryMs !== undefined, '§5', () => 'the stream begins without retry')
    must(Math.abs(retryMs - middleMs) <= middleMs / 2 + 1, '§5', () => `retry is ${retryMs}, the middle ${middleMs}`)
    const data = JSON.parse(block.data ?? 'null') as { connection: unknown; secret: unknown; heartbeatMs: unknown }
    must(
      typeof data.connection === 'string' && typeof data.secret === 'string',
      '§8',
      () => `connected says ${block.data}`,
    )
    this.secret = data.secret
    must(data.heartbeatMs === limits.heartbeatMs, '§8', () => `connected says heartbeatMs ${String(data.heartbeatMs)}`)
    const isPlainNow = presented === '' && this.#terms.from === 'now'
    if (isPlainNow && !this.#terms.mayOweValues) must(block.id !== undefined, '§5', () => 'a plain start has no id')
    this.#isConnected = true
  }

  /** A stream without an id, because values are owed, begins here. */
  startAt(position: Position): void {
    if (!this.ledger.isNowhere) return
    this.ledger.startBy(position)
    this.#checkFreshStart()
  }

  /** §6: `from=now` starts at the node's last flush. */
  #checkFreshStart(): void {
    const { presented, from, flushedBefore } = this.#terms
    const at = this.ledger.position
    if (presented !== '' || from !== 'now' || !flushedBefore || at?.epoch !== flushedBefore.epoch) return
    must(
      at.seq >= flushedBefore.seq,
      '§6',
      () => `from=now starts at ${at.seq}, though ${flushedBefore.seq} was flushed`,
    )
  }

  #takeEvent(block: Block): void {
    this.#eventsSinceConnected++
    if (block.id !== undefined && !isStateTopic(block.topic ?? '')) this.#idsSinceConnected++
    const names = block.names.filter((name) => EVENT_FIELDS.includes(name))
    const places = names.map((name) => EVENT_FIELDS.indexOf(name))
    const isOrdered = places.every((place, i) => i === 0 || place >= (places[i - 1] as number))
    must(
      isOrdered && names.length === block.names.length,
      '§9',
      () => `an event has the fields ${block.names.join(', ')}`,
    )
  }

  /** The topics of the stream are changed; that is still to be told. */
  expectTopics(topics: readonly string[], revision: number): void {
    this.awaited = { topics, revision }
  }

  #takeTopics({ id, data }: Block): void {
    must(id !== undefined, '§8', () => 'stream:topics has no id')
    must(data === JSON.stringify(this.awaited), '§8', () => `topics says ${data}, not ${JSON.stringify(this.awaited)}`)
    this.awaited = undefined
  }

  /** §8: told with an id when the replay is over, and not before. */
  #takeCaughtUp(block: Block): void {
    const { maxReplayCount } = this.#terms.limits
    const { presented, from } = this.#terms
    const isReplay = presented !== '' || from !== 'now'
    const isTooFar = isReplay && maxReplayCount !== false && this.#idsSinceConnected > maxReplayCount
    must(!isTooFar || this.ledger.notices > 0, '§6', () => `${this.#idsSinceConnected} events were replayed`)
    must(block.id !== undefined, '§8', () => 'caught-up has no id')
    this.caughtUps++
    if (this.caughtUps > 1) return
    const { replayed } = JSON.parse(block.data ?? 'null') as { replayed: unknown }
    const count = this.#eventsSinceConnected
    must(replayed === count, '§8', () => `caught-up says ${String(replayed)} were replayed; there were ${count}`)
    const floor = this.#terms.flushedBefore
    const at = this.ledger.position
    if (!floor || at?.epoch !== floor.epoch) return
    must(
      at.seq >= floor.seq,
      '§8',
      () => `caught up at ${at.seq}, though ${floor.seq} was flushed before the stream began`,
    )
  }

  #checkControl(type: string): void {
    const known = [
      'stream:connected',
      'stream:sync-required',
      'stream:end',
      'stream:topics',
      'stream:reconnect',
      'stream:shutdown',
    ]
    must(known.includes(type), '§8', () => `${type} is no control event of this stream`)
  }
}
