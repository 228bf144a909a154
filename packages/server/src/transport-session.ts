import { encodeComment, encodeEvent, encodeRetry } from '@millrace/protocol'
import type { Chance } from './chance.ts'
import type { Clock } from './clock.ts'
import { eventData } from './event-data.ts'
import { checkEventType } from './event-type.ts'
import { textPayload, type Payload } from './payload.ts'
import { Progress } from './progress.ts'
import type { Session, SessionEnd, SessionEvent, SessionLimits } from './session.ts'
import type { Sweep, SweepMember } from './sweep.ts'
import type { Transport, TransportOwner } from './transport.ts'

/** After `close` a client gets this long to take what was sent. */
const CLOSING_GRACE_MS = 5_000
const HEARTBEAT: Payload = textPayload(encodeComment(''))

/** What sessions share. */
export interface SessionHost {
  readonly clock: Clock
  readonly chance: Chance
  /** Looks after heartbeats and deadlines, so that no session needs a timer. */
  readonly sweep: Sweep
}

/** A {@link Session} over a transport. */
export class TransportSession implements Session, TransportOwner, SweepMember {
  readonly lastEventId: string | undefined
  readonly #transport: Transport
  readonly #host: SessionHost
  readonly #limits: SessionLimits
  #count: number
  #end: SessionEnd | undefined
  #isGone = false
  readonly #progress: Progress
  #closedAtMs = 0
  /** From a write that the transport answered so until it has drained. */
  #isFull = false
  #lastWriteAtMs: number
  #closed: PromiseWithResolvers<SessionEnd> | undefined
  #drainListeners: Set<() => void> | undefined

  /** Takes the transport and sends the first bytes: a comment, for clients that wait for one, and the `retry` time. */
  constructor(transport: Transport, host: SessionHost, limits: SessionLimits, lastEventId?: string) {
    this.#transport = transport
    this.#host = host
    this.#limits = limits
    this.lastEventId = lastEventId
    this.#count = countOf(lastEventId)
    this.#lastWriteAtMs = host.clock.now()
    this.#progress = new Progress(this.#lastWriteAtMs)
    transport.attach(this)
    host.sweep.add(this)
    const retryMs = Math.round(limits.retryMs * (0.5 + host.chance.fraction()))
    this.#write(textPayload(encodeComment('') + encodeRetry(retryMs)))
  }

  get isOpen(): boolean {
    return this.#end === undefined
  }

  get bufferedBytes(): number {
    return this.#transport.bufferedBytes
  }

  get closed(): Promise<SessionEnd> {
    if (!this.#closed) {
      this.#closed = Promise.withResolvers()
      if (this.#isGone && this.#end) this.#closed.resolve(this.#end)
    }
    return this.#closed.promise
  }

  send(event: SessionEvent): boolean {
    if (event.type !== undefined) checkEventType(event.type)
    const text = encodeEvent({
      id: event.id ?? String(this.#count + 1),
      event: event.type,
      topic: event.topic,
      retryMs: event.retryMs,
      data: eventData(event.data),
    })
    if (!this.isOpen) return false
    if (event.id === undefined) this.#count++
    return this.#accept(textPayload(text))
  }

  comment(text: string): boolean {
    const block = encodeComment(text)
    return this.isOpen && this.#accept(textPayload(block))
  }

  async drained(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (!this.isOpen || this.#hasRoom) return
    if (!this.#isFull) this.#host.clock.soon(() => this.#tellIfRoom())
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => reject(signal?.reason)
    this.#drainListeners ??= new Set()
    this.#drainListeners.add(resolve)
    signal?.addEventListener('abort', onAbort)
    try {
      await promise
    } finally {
      this.#drainListeners?.delete(resolve)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  close(): void {
    if (!this.isOpen) return
    this.#end = 'closed'
    this.#closedAtMs = this.#host.clock.now()
    this.#tellDrained()
    this.#transport.end()
  }

  onDrain(): void {
    this.#isFull = false
    this.#tellDrained()
  }

  onClose(): void {
    this.#end ??= 'left'
    this.#isGone = true
    this.#host.sweep.remove(this)
    this.#tellDrained()
    this.#closed?.resolve(this.#end)
  }

  sweep(nowMs: number): void {
    if (!this.isOpen) {
      if (nowMs - this.#closedAtMs > CLOSING_GRACE_MS) this.#transport.destroy()
      return
    }
    this.#watchProgress(nowMs)
    if (!this.isOpen) return
    this.#tellIfRoom()
    if (this.bufferedBytes > 0) return
    const silentMs = nowMs - this.#lastWriteAtMs
    if (silentMs + this.#host.sweep.intervalMs > this.#limits.heartbeatMs) this.#write(HEARTBEAT)
  }

  #accept(payload: Payload): boolean {
    const { maxBufferBytes } = this.#limits
    const wasFull = this.bufferedBytes > maxBufferBytes
    this.#write(payload)
    const waitingBytes = this.bufferedBytes
    if (wasFull && waitingBytes > 2 * maxBufferBytes) this.#destroy('slow')
    return waitingBytes <= maxBufferBytes
  }

  #write(payload: Payload): void {
    const nowMs = this.#host.clock.now()
    this.#progress.accept(payload.bytes.byteLength, this.bufferedBytes, nowMs)
    this.#lastWriteAtMs = nowMs
    this.#isFull = !this.#transport.write(payload)
  }

  #watchProgress(nowMs: number): void {
    const { staleMs } = this.#limits
    this.#progress.look(this.bufferedBytes, nowMs)
    if (staleMs !== false && this.#progress.stuckMs(nowMs) > staleMs) this.#destroy('stale')
  }

  /** Bytes may wait: within a turn they do, although the transport has room and will not say that it drained. */
  get #hasRoom(): boolean {
    return !this.#isFull && this.bufferedBytes <= this.#limits.maxBufferBytes
  }

  /** A transport whose own limit is above `maxBufferBytes` does not say that it drained. */
  #tellIfRoom(): void {
    if (this.#hasRoom) this.#tellDrained()
  }

  #destroy(reason: SessionEnd): void {
    this.#end = reason
    this.#tellDrained()
    this.#transport.destroy()
  }

  #tellDrained(): void {
    const listeners = this.#drainListeners
    this.#drainListeners = undefined
    for (const resolve of listeners ?? []) resolve()
  }
}

/** The number that a client came back with, so that its ids rise over all its connections; 0 for anything else. */
function countOf(lastEventId: string | undefined): number {
  return lastEventId !== undefined && /^[1-9][0-9]{0,14}$/.test(lastEventId) ? Number(lastEventId) : 0
}
