import type { Admission, Payload, Subscriber } from '@millrace/server'
import type { FakeClient } from './fake-client.ts'
import type { FakeNode } from './fake-node.ts'
import { FakeSocket, type SocketShape, type SocketWatcher } from './fake-socket.ts'
import type { StreamWatch } from './stream-watch.ts'
import { must, Violation } from './violation.ts'

type Accepted = Extract<Admission, { kind: 'accepted' }>

export interface ConnectionPlan {
  readonly shape: SocketShape
  /** The response is opened some steps after the stream was admitted. */
  readonly opensLate: boolean
}

/** What a connection needs of the run. */
export interface ConnectionHost {
  readonly nowMs: number
  readonly graceMs: number
  fault(error: unknown): void
  tell(text: () => string): void
}

/** What was delivered is looked at this often: it takes longer than other checks. */
const CHECKS_PER_LOOK = 8
/** Sweeps of the engine may be this far apart. Milliseconds. */
const SWEEP_MS = 1_000

/** One request of a client and the stream that answers it, seen from both ends. */
export class Connection implements SocketWatcher {
  readonly client: FakeClient
  readonly node: FakeNode
  readonly presented: string
  readonly askedAtMs: number
  readonly opensLate: boolean
  readonly watch: StreamWatch
  socket: FakeSocket | undefined
  /** Accepted, but not opened yet. */
  admission: Accepted | undefined
  subscriber: Subscriber | undefined
  /** It can be answered from memory, whether the log is there or not. */
  needsNoLog = false
  /** The client does not read any more. */
  isAbandoned = false
  /** Nothing moves between the two ends for now. */
  isStalled = false
  /** The request was refused, or the stream is over for the engine. */
  isOver = false
  /** The run has asked the engine to end this stream. */
  isEndAsked = false
  readonly #host: ConnectionHost
  readonly #shape: SocketShape
  /** Accepted writes that are not all with the kernel. */
  readonly #unsent: { readonly upToBytes: number; readonly atMs: number }[] = []
  #acceptedBytes = 0
  #writableSinceMs: number
  #progress = { takenBytes: 0, atMs: 0 }
  #endedAtMs: number | undefined
  #checks = 0
  #notLiveAtMs = 0

  constructor(client: FakeClient, node: FakeNode, watch: StreamWatch, plan: ConnectionPlan, host: ConnectionHost) {
    this.client = client
    this.node = node
    this.presented = client.lastEventId
    this.watch = watch
    this.opensLate = plan.opensLate
    this.#shape = plan.shape
    this.#host = host
    this.askedAtMs = host.nowMs
    this.#writableSinceMs = host.nowMs
  }

  get name(): string {
    return this.client.name
  }

  get isLive(): boolean {
    return this.subscriber?.state.name === 'live'
  }

  open(): void {
    const { admission } = this
    if (!admission || this.socket) return
    this.socket = new FakeSocket(this.#shape, this)
    this.node.memory.add(this.socket)
    this.#progress.atMs = this.#host.nowMs
    this.#writableSinceMs = this.#host.nowMs
    if (this.isAbandoned) this.socket.lose()
    this.subscriber = admission.open(this.socket)
    if (this.subscriber.position) this.watch.startAt(this.subscriber.position)
    must(this.socket.attached, 'Transport', () => 'the transport was not attached by open')
    this.#host.tell(() => `${this.name} is open on ${this.node.name}, ${this.subscriber?.state.name}`)
  }

  onWrite(payload: Payload): void {
    const { socket } = this
    if (!socket) return
    const { nowMs } = this.#host
    const silentMs = nowMs - this.watch.lastWriteAtMs
    this.#acceptedBytes += payload.bytes.byteLength
    this.node.memory.onWrite(payload)
    this.#unsent.push({ upToBytes: this.#acceptedBytes, atMs: nowMs })
    this.#host.tell(() => `  ${this.name} is written ${JSON.stringify(new TextDecoder().decode(payload.bytes))}`)
    this.watch.take(payload, socket.bufferedBytes, nowMs, this.isLive)
    const isHeartbeat = silentMs >= this.node.hub.limits.heartbeatMs * 0.85 && !this.watch.endedInValue
    if (this.isLive && isHeartbeat) this.#checkQuietId()
  }

  onEndedByEngine(how: 'end' | 'destroy'): void {
    this.#host.tell(() => `  ${this.name} is ${how === 'end' ? 'ended' : 'destroyed'} by ${this.node.name}`)
    if (how === 'end') {
      this.#endedAtMs = this.#host.nowMs
      const isDue = this.isEndAsked || this.watch.ledger.isFinished || (this.node.isDraining && this.watch.saidFarewell)
      if (!isDue) this.onFault(new Violation('§8', `${this.name} was ended for nothing, or without a farewell`))
    } else if (!this.#isDestructionDue()) {
      this.onFault(new Violation('§7', `${this.name} was destroyed for nothing`))
    }
  }

  onFault(error: unknown): void {
    this.#host.fault(error)
  }

  /** Called after each step, when nothing that is due waits any more on its node. */
  check(): void {
    const { socket } = this
    if (!socket) return
    const { nowMs } = this.#host
    if (!this.isLive) {
      this.#notLiveAtMs = nowMs
      this.watch.rates.interrupt()
    }
    while (this.#unsent[0] && this.#unsent[0].upToBytes <= socket.takenBytes) this.#unsent.shift()
    if (socket.bufferedBytes === 0 || socket.takenBytes > this.#progress.takenBytes) {
      this.#progress = { takenBytes: socket.takenBytes, atMs: nowMs }
    }
    if (!socket.writable || socket.bufferedBytes > 0) this.#writableSinceMs = nowMs
    if (!socket.isOpen || !this.node.isIdle) return
    this.#checkTimes(nowMs)
    if (this.isLive && ++this.#checks % CHECKS_PER_LOOK === 0) this.#checkDelivered()
  }

  /** §4: what a pass has flushed was written to every live member. */
  #checkDelivered(): void {
    const { flushed } = this.node
    const owed = this.watch.ledger.firstOwed?.event.position
    const isMissed = flushed && owed?.epoch === flushed.epoch && owed.seq <= flushed.seq
    must(!isMissed, '§11.3', () => `${this.name} is live and lacks ${owed?.seq}, though ${flushed?.seq} was flushed`)
  }

  #checkTimes(nowMs: number): void {
    const { heartbeatMs, maxUnsentMs, staleMs } = this.node.hub.limits
    const slackMs = this.#host.graceMs
    const { starvedUntilMs } = this.node
    const silentMs = nowMs - Math.max(this.watch.lastWriteAtMs, this.#writableSinceMs, starvedUntilMs)
    must(silentMs <= heartbeatMs * 1.2 + slackMs, '§8', () => `${this.name} has heard nothing for ${silentMs} ms`)
    const unsentMs = nowMs - Math.max(this.#unsent[0]?.atMs ?? nowMs, starvedUntilMs, this.#notLiveAtMs)
    const mayBeLive = unsentMs <= 2 * (maxUnsentMs + SWEEP_MS) + slackMs
    must(mayBeLive || !this.isLive, '§7', () => `${this.name} is live with bytes unsent for ${unsentMs} ms`)
    if (staleMs === false) return
    const stuckMs = nowMs - Math.max(this.#progress.atMs, starvedUntilMs)
    must(stuckMs <= 2 * (staleMs + SWEEP_MS) + slackMs, '§7', () => `${this.name} has taken nothing for ${stuckMs} ms`)
  }

  /** §5: what breaks a silence carries an id that is not behind what was scanned. */
  #checkQuietId(): void {
    const floor = this.node.flushed
    const at = this.watch.ledger.position
    if (!floor || at?.epoch !== floor.epoch) return
    must(at.seq >= floor.seq, '§5', () => {
      return `the id of quiet ${this.name} stays at ${at.epoch}-${at.seq}, though ${floor.seq} was flushed`
    })
  }

  #isDestructionDue(): boolean {
    const { socket } = this
    if (!socket) return false
    const { nowMs } = this.#host
    const { staleMs } = this.node.hub.limits
    const slowPolicy = this.client.wants.request.slowPolicy ?? this.node.hub.limits.slowPolicy
    if (this.#endedAtMs !== undefined) return nowMs - this.#endedAtMs >= 4_900
    if (this.node.memory.isShort) return true
    if (slowPolicy === 'disconnect' && (socket.bufferedBytes > 0 || !socket.writable)) return true
    return staleMs !== false && nowMs - this.#progress.atMs >= staleMs * 0.9
  }
}
