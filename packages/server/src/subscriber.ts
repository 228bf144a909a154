// More than 300 lines: all that may be written to one stream goes by its one state, and so stands in one place.
import { encodeComment, encodeRetry, formatEventId, type Position } from '@millrace/protocol'
import type { Audience } from './audience.ts'
import type { CatchUps } from './catch-up.ts'
import { Progress } from './progress.ts'
import { Reading } from './reading.ts'
import type { Chance } from './chance.ts'
import type { Clock } from './clock.ts'
import { controlBlock } from './control-block.ts'
import type { Flusher } from './flusher.ts'
import type { FrameList } from './frame-list.ts'
import type { Frame, WireFrame } from './frame.ts'
import type { HubObserver, SlowCause } from './hub-observer.ts'
import type { HubLimits } from './hub-options.ts'
import { textPayload, type Payload } from './payload.ts'
import type { PendingBytes, PendingMember } from './pending-bytes.ts'
import type { Standing } from './standing.ts'
import type { SubscribeRequest } from './subscribe-request.ts'
import { nextState, STARTING, type EndReason, type SubscriberChange, type SubscriberState } from './subscriber-state.ts'
import type { Sweep, SweepMember } from './sweep.ts'
import { isSameSecret, type StreamOwner } from './topics-change.ts'
import type { Transport, TransportOwner, TransportProtocol } from './transport.ts'
import { UnsentPayloads } from './unsent-payloads.ts'

/** After the last bytes were accepted, a client gets this long to take them before it is destroyed. */
const CLOSING_GRACE_MS = 5_000
const NOTHING: readonly Payload[] = Object.freeze([])
const HEARTBEAT: Payload = textPayload(encodeComment(''))

/** What a subscriber needs of its hub. */
export interface SubscriberHost {
  readonly clock: Clock
  readonly chance: Chance
  readonly limits: HubLimits
  readonly flusher: Flusher
  readonly catchUps: CatchUps
  readonly sweep: Sweep
  readonly observer: HubObserver
  readonly standing: Standing
  readonly pending: PendingBytes
  readonly onError: (error: unknown, context: string) => void
  /** The subscriber's transport is gone: forget it. */
  onSubscriberClosed(subscriber: Subscriber): void
}

/** One stream of a hub: a transport with an audience and a position. */
export class Subscriber implements TransportOwner, SweepMember, PendingMember {
  /** Names the stream, as the response header `Millrace-Connection` does. */
  readonly connection: string
  request: SubscribeRequest
  audience: Audience
  /** The number of the last change of topics; -1 before the first. */
  revision = -1
  readonly openedAtMs: number
  /** Catching up: how far it has read. Undefined in every other state. */
  reading: Reading | undefined
  /** Its place among the members of the audience, while live. */
  slot = -1
  /** The first pass that serves it. */
  joinedPass = 0
  /** The last pass that served it. */
  servedPass = 0
  events = 0
  /** False from a write that was answered so, or from falling behind, until the transport has drained. */
  writable = true
  readonly #host: SubscriberHost
  readonly #transport: Transport
  #state: SubscriberState = STARTING
  #sentPosition: Position | undefined
  readonly #progress: Progress
  /** What waits in the transport, if that is one payload: nearly always it is, and a list would cost more than the rest. */
  #unsentOne: Payload | undefined
  /** What waits in the transport, if that is more. */
  #unsent: UnsentPayloads | undefined
  /** Proves that somebody has read the stream from its beginning. */
  readonly #secret: string
  #endedAtMs = 0
  #lastWriteAtMs: number
  /** The last id as the sweep saw it, and when it saw it first: what has no id is no sign that the id is up to date. */
  #sweptPosition: Position | undefined
  #sweptPositionAtMs: number

  constructor(
    host: SubscriberHost,
    connection: string,
    request: SubscribeRequest,
    audience: Audience,
    transport: Transport,
  ) {
    this.#host = host
    this.connection = connection
    this.request = request
    this.audience = audience
    this.#transport = transport
    this.openedAtMs = host.clock.now()
    this.#secret = host.chance.token(20)
    this.#progress = new Progress(this.openedAtMs)
    this.#lastWriteAtMs = this.openedAtMs
    this.#sweptPositionAtMs = this.openedAtMs
  }

  get state(): SubscriberState {
    return this.#state
  }

  get isOpen(): boolean {
    return this.#state.name === 'live' || this.#state.name === 'catching-up'
  }

  /** How long ago it was opened. Milliseconds. */
  get ageMs(): number {
    return this.#host.clock.now() - this.openedAtMs
  }

  get protocol(): TransportProtocol {
    return this.#transport.protocol ?? 'other'
  }

  /** The network address of the peer, if known. */
  get peer(): string | undefined {
    return this.#transport.peer
  }

  get bytes(): number {
    return this.#progress.acceptedBytes
  }

  get bufferedBytes(): number {
    return this.#transport.bufferedBytes
  }

  /** Room for a catch-up to write, in bytes; 0 when it has to wait. */
  get roomBytes(): number {
    return this.writable ? Math.max(0, this.#host.limits.maxBufferBytes - this.#transport.bufferedBytes) : 0
  }

  /** Every matching event up to here was accepted by the transport, or a notice was. */
  get position(): Position | undefined {
    if (this.#state.name === 'live') return this.#host.flusher.positionOf(this)
    return this.reading?.position ?? this.#sentPosition
  }

  /** How many events of the log, matching or not, it has yet to be taken past. */
  get lag(): number {
    const { newest } = this.#host.flusher
    const { position } = this
    return position?.epoch === newest.epoch ? Math.max(0, newest.seq - position.seq) : 0
  }

  /** What of an event of a topic that it has selected it is sent: all, that the topic is finished, or nothing. */
  partOf(frame: Frame): WireFrame | undefined {
    return this.audience.partOf(frame, this.request.client)
  }

  /** The same without an id. */
  partWithoutId(frame: Frame): WireFrame | undefined {
    return this.audience.partWithoutId(frame, this.request.client)
  }

  /** The last id that was written. */
  get sentId(): string | undefined {
    return this.#sentPosition && formatEventId(this.#sentPosition)
  }

  /** Takes the transport and writes the first block; with `liveFrom` the stream starts there, else by `reading`. */
  start(liveFrom: Position | undefined, reading: Reading | undefined): void {
    const { chance, limits, sweep } = this.#host
    this.#transport.attach(this)
    sweep.add(this)
    const connected = { connection: this.connection, secret: this.#secret, heartbeatMs: limits.heartbeatMs }
    this.writeText(
      encodeComment('millrace') +
        encodeRetry(Math.round(limits.retryMs * (0.5 + chance.fraction()))) +
        controlBlock('stream:connected', connected, liveFrom),
      liveFrom,
    )
    if (reading) this.#catchUp(reading)
    else this.join()
  }

  isOwnedBy(owner: StreamOwner): boolean {
    if ('secret' in owner) return isSameSecret(owner.secret, this.#secret)
    return this.request.user !== undefined && this.request.user === owner.user
  }

  /** From its own position on it is sent what the new audience wants. */
  changeTopics(audience: Audience, request: SubscribeRequest, revision: number, from: 'now' | 'snapshot'): void {
    const live = this.#state.name === 'live' ? this.position : undefined
    const valuesAfter = live && this.#host.flusher.valuesAfter(this)
    const before = this.audience
    const reading = this.reading ?? new Reading(live ?? 'unknown', { trusted: true, announce: false, valuesAfter })
    this.#leaveAudience()
    this.audience = audience
    this.request = request
    this.revision = revision
    this.#change({ name: 'topics-changed' })
    this.#catchUp(reading.withTopics(before, audience, from))
  }

  /** Becomes a live member: the next pass serves it. Its position must be the end of the last pass. */
  join(): void {
    this.#change({ name: 'joined' })
    if (this.#state.name !== 'live') return
    this.reading = undefined
    this.joinedPass = this.#host.flusher.nextPass
    this.slot = this.audience.join(this)
  }

  /** Writes what a pass owes it, unless that would be more than may wait in its transport. */
  deliver(frames: FrameList, pass: number, nowMs: number): void {
    const buffered = this.#transport.bufferedBytes
    const list = frames.hasExcept ? frames.forClient(this.request.client) : frames
    if (!list) {
      this.servedPass = pass
      return
    }
    if (buffered > 0 && buffered + list.byteLength > this.#host.limits.maxBufferBytes) {
      if (list.isEphemeral) this.servedPass = pass
      else this.#fallBehind('bytes')
      return
    }
    this.servedPass = pass
    this.events += list.length
    if (list.last) this.#sentPosition = list.last.position
    const waiting = this.#write(list.payload(), nowMs, buffered)
    if (list.hasEnd && this.#host.standing.isFinished(this.audience, this.#host.flusher.end)) this.end('finished')
    else if (waiting > this.#host.limits.maxBufferBytes) this.#fallBehind('bytes')
  }

  unsentPayloads(): readonly Payload[] {
    this.#forgetSent(this.#transport.bufferedBytes)
    if (this.#unsentOne) return [this.#unsentOne]
    return this.#unsent?.waiting ?? NOTHING
  }

  unsentMs(nowMs: number): number {
    this.#progress.look(this.#transport.bufferedBytes, nowMs)
    return this.#progress.unsentMs(nowMs)
  }

  cutOff(): void {
    this.#host.observer.onSlow?.(this, 'total')
    this.destroy('slow')
  }

  /** Writes events of a catch-up, the newest of which that has an id is at `last`. */
  writeReplay(payload: Payload, count: number, last: Position | undefined): void {
    this.events += count
    if (last) this.#sentPosition = last
    this.#write(payload, this.#host.clock.now())
  }

  writeText(text: string, id?: Position): void {
    if (id) this.#sentPosition = id
    this.#write(textPayload(text), this.#host.clock.now())
  }

  /** The hot window was lost: whoever is live reads on from the log. */
  onWindowReset(): void {
    const after = this.position
    if (this.#state.name !== 'live' || !after) return
    const valuesAfter = this.#host.flusher.valuesAfter(this)
    this.#leaveAudience()
    this.#change({ name: 'window-reset' })
    this.#catchUp(new Reading(after, { trusted: true, announce: false, valuesAfter }))
  }

  /** Ends the stream after what was written, and the connection with it. */
  end(reason: EndReason, farewell?: string): void {
    if (!this.isOpen) return
    this.#leaveAudience()
    this.#change({ name: 'ended', reason })
    if (farewell) this.writeText(farewell)
    this.#endedAtMs = this.#host.clock.now()
    this.#transport.end()
  }

  /** Ends the connection at once. */
  destroy(reason: EndReason): void {
    this.#leaveAudience()
    this.#change({ name: 'ended', reason })
    this.#forgetSent(0)
    this.#transport.destroy()
  }

  onDrain(): void {
    this.writable = true
    this.#forgetSent(0)
    if (this.reading) this.#host.catchUps.resume(this)
  }

  onClose(): void {
    this.#leaveAudience()
    this.#change({ name: 'transport-closed' })
    this.#host.sweep.remove(this)
    this.#host.onSubscriberClosed(this)
  }

  sweep(nowMs: number): void {
    const { limits } = this.#host
    if (!this.isOpen) {
      if (nowMs - this.#endedAtMs > CLOSING_GRACE_MS) this.#transport.destroy()
      return
    }
    this.#watchProgress(nowMs)
    if (!this.isOpen) return
    // A transport says that it has drained only when it had said that it was full.
    if (this.#transport.bufferedBytes === 0) this.writable = true
    this.#forgetSent(this.#transport.bufferedBytes)
    this.#host.catchUps.nudge(this, nowMs)
    if (this.#sentPosition !== this.#sweptPosition) {
      this.#sweptPosition = this.#sentPosition
      this.#sweptPositionAtMs = nowMs
    }
    if (this.#transport.bufferedBytes > 0) return
    const dueAfterMs = limits.heartbeatMs - this.#host.sweep.intervalMs
    const isSilent = nowMs - this.#lastWriteAtMs > dueAfterMs
    if (isSilent || nowMs - this.#sweptPositionAtMs > dueAfterMs) this.#heartbeat(nowMs, isSilent)
  }

  #heartbeat(nowMs: number, isSilent: boolean): void {
    const position = this.position
    if (position && (position.seq !== this.#sentPosition?.seq || position.epoch !== this.#sentPosition.epoch)) {
      this.writeText(controlBlock('stream:position', {}, position), position)
    } else if (isSilent) this.#write(HEARTBEAT, nowMs)
  }

  /** Kernel buffers hide slowness, so age counts as well as bytes. */
  #watchProgress(nowMs: number): void {
    const { staleMs, maxUnsentMs } = this.#host.limits
    this.#progress.look(this.#transport.bufferedBytes, nowMs)
    if (staleMs !== false && this.#progress.stuckMs(nowMs) > staleMs) this.destroy('stale')
    else if (this.#state.name === 'live' && this.#progress.unsentMs(nowMs) > maxUnsentMs) this.#fallBehind('age')
  }

  #fallBehind(cause: SlowCause): void {
    this.#host.observer.onSlow?.(this, cause)
    const slowPolicy = this.request.slowPolicy ?? this.#host.limits.slowPolicy
    if (slowPolicy === 'disconnect') {
      this.destroy('slow')
      return
    }
    const after = this.position
    if (!after || this.#state.name !== 'live') return
    const valuesAfter = this.#host.flusher.valuesAfter(this)
    this.#leaveAudience()
    this.#change({ name: 'fell-behind' })
    this.writable = false
    const skip = slowPolicy === 'sync' ? 'slow' : undefined
    this.#catchUp(new Reading(after, { trusted: true, announce: false, valuesAfter, skip }))
  }

  #catchUp(reading: Reading): void {
    reading.startedAtMs = this.#host.clock.now()
    this.reading = reading
    this.#host.catchUps.resume(this)
  }

  #leaveAudience(): void {
    if (this.reading) this.#host.catchUps.forget(this)
    this.reading = undefined
    if (this.slot === -1) return
    this.audience.leave(this.slot)
    this.slot = -1
  }

  /** Returns how many bytes wait then. */
  #write(payload: Payload, nowMs: number, buffered: number = this.#transport.bufferedBytes): number {
    this.#progress.accept(payload.bytes.byteLength, buffered, nowMs)
    this.#lastWriteAtMs = nowMs
    try {
      this.writable = this.#transport.write(payload) && this.writable
    } catch (error) {
      // One transport that is broken must not cost the others their turn.
      this.#host.onError(error, 'writing to a stream')
      this.destroy('error')
      return 0
    }
    const waiting = this.#transport.bufferedBytes
    if (waiting > 0) this.#noteUnsent(payload, buffered, waiting)
    else if (buffered > 0) this.#forgetSent(0)
    return waiting
  }

  #noteUnsent(payload: Payload, before: number, waiting: number): void {
    this.#host.pending.note(payload)
    if (before === 0) {
      this.#unsentOne = payload
      this.#unsent = undefined
      return
    }
    this.#unsent ??= new UnsentPayloads()
    if (this.#unsentOne) this.#unsent.add(this.#unsentOne, before)
    this.#unsentOne = undefined
    this.#unsent.add(payload, waiting)
  }

  #forgetSent(waiting: number): void {
    if (waiting > 0) {
      this.#unsent?.trim(waiting)
      return
    }
    this.#unsentOne = undefined
    this.#unsent = undefined
  }

  #change(change: SubscriberChange): void {
    this.#state = nextState(this.#state, change)
  }
}
