import { parseSelector, type Position } from '@millrace/protocol'
import { LogError, memory, type Backend, type Hub, type HubOptions } from '@millrace/server'
import { FakeClock, type SimulatedTime } from './fake-clock.ts'
import type { FakeLog } from './fake-log.ts'
import { LogConnection } from './log-connection.ts'
import type { FakeTail } from './fake-tail.ts'
import { PendingMemory } from './pending-memory.ts'
import type { Random } from './random.ts'
import type { Scenario } from './scenario.ts'

/** The engine that is tried: the real one, or one with a planted fault. */
export interface EngineUnderTest {
  createHub(options: HubOptions): Hub
}

/** What a node is put into. */
export interface NodeSurroundings {
  readonly scenario: Scenario
  readonly log: FakeLog
  readonly time: SimulatedTime
  readonly random: Random
  onFault(error: unknown): void
  /** An ephemeral event is about to be handed to the node. */
  onBlip(node: FakeNode, number: number): void
}

/** What an idle node may take to flush what it was handed, besides the passes themselves. Milliseconds. */
const FLUSH_GRACE_MS = 30
/** In calm, everything that waits is flushed within this time. Milliseconds. */
const CALM_FLUSH_MS = 20_000

/** One process of the cluster: an engine with a clock and a connection to the log. */
export class FakeNode {
  readonly name: string
  readonly clock: FakeClock
  readonly hub: Hub
  readonly log: LogConnection
  readonly memory: PendingMemory
  isReady = false
  isDraining = false
  hasClosed = false
  hasCrashed = false
  /** Until when time went by while work of this node was held up. Milliseconds. */
  starvedUntilMs = 0
  /** The newest position that this node has certainly flushed to its live subscribers. */
  flushed: Position | undefined
  readonly #log: FakeLog
  readonly #time: SimulatedTime
  /** When everything that it was handed has certainly been flushed, if nothing holds it up. Milliseconds. */
  flushDueMs = 0
  /** The longest time from pass to pass. Milliseconds. */
  #passMs: number
  readonly #handed: { readonly position: Position; readonly dueMs: number }[] = []

  constructor(name: string, engine: EngineUnderTest, surroundings: NodeSurroundings) {
    const { scenario, log, time, random, onFault, onBlip } = surroundings
    this.name = name
    this.memory = new PendingMemory(scenario.limits.maxPendingBytesTotal)
    this.#log = log
    this.#time = time
    this.#passMs = scenario.limits.flushIntervalMs + 1 + 8 * scenario.creepMs
    this.clock = new FakeClock(time, random.fork(), scenario.creepMs)
    this.log = new LogConnection(log, name, random.fork())
    const tokens = random.fork()
    const chance = { fraction: () => tokens.fraction(), token: (length: number) => tokens.token(length) }
    const backend = memory()
    const { bus } = backend
    const watchedBus: Backend['bus'] = {
      send: (message) => bus.send(message),
      listen: (listener) =>
        bus.listen((message) => {
          onBlip(this, (JSON.parse(message.event.data) as { blip: number }).blip)
          listener(message)
        }),
      close: () => bus.close(),
    }
    this.hub = engine.createHub({
      backend: { ...backend, bus: watchedBus, log: this.log, topics: topicsOf(scenario) },
      clock: this.clock,
      chance,
      onError(error, context) {
        // That it is away is part of the play.
        if (error instanceof LogError && error.code === 'unavailable') return
        onFault(new Error(`while ${context}`, { cause: error }))
      },
      ...scenario.limits,
    })
  }

  get tail(): FakeTail | undefined {
    for (const tail of this.#log.tails) if (tail.node === this.name) return tail
    return undefined
  }

  /** Nothing that is due waits on this node. */
  get isIdle(): boolean {
    return this.clock.soonCount === 0 && !this.clock.hasOverdueTimer
  }

  /** From now on work takes no time, so that what waits is flushed soon. */
  calmDown(): void {
    this.clock.stopCreeping()
    this.#passMs = this.hub.limits.flushIntervalMs + 1
    this.flushDueMs = Math.min(this.flushDueMs, this.#time.nowMs + CALM_FLUSH_MS)
  }

  /** So many events were handed to the engine, up to here. In the worst case each takes a pass of its own. */
  onHanded(position: Position, count: number): void {
    this.flushDueMs = Math.max(this.#time.nowMs + FLUSH_GRACE_MS, this.flushDueMs) + this.#passMs * count
    this.#handed.push({ position, dueMs: this.flushDueMs })
  }

  /** Something was handed to the engine that is not of the log. Returns when it must have left. Milliseconds. */
  onHandedBesides(): number {
    this.flushDueMs = Math.max(this.#time.nowMs + FLUSH_GRACE_MS, this.flushDueMs) + this.#passMs
    return this.flushDueMs
  }

  /** After each step: takes note of what must have been flushed by now. */
  watchFlush(): void {
    const { tail } = this
    if (tail?.hadHole) this.flushed = undefined
    if (!tail || tail.hadHole || tail.outstanding || !this.isIdle || this.#log.hasCallOf(this.name)) return
    const { nowMs } = this.#time
    while (this.#handed[0] && this.#handed[0].dueMs <= nowMs) this.flushed = this.#handed.shift()?.position
  }

  /** Whether the id is certainly in the hot window: it was handed over, and little has come since. */
  hasInMemory(id: string): boolean {
    const { tail } = this
    const position = this.#log.history.truePosition(id)
    if (!tail || tail.hadHole || position?.epoch !== tail.at.epoch || position.epoch !== tail.start.epoch) return false
    if (position.seq < tail.start.seq || position.seq > tail.at.seq) return false
    let bytes = 0
    for (let seq = position.seq + 1; seq <= tail.at.seq; seq++) {
      const event = this.#log.history.entryAt({ ...position, seq })?.event
      bytes += 1_000 + 10 * (event?.data.length ?? 0)
    }
    return tail.at.seq - position.seq <= this.hub.limits.hotWindowCount && bytes <= this.hub.limits.hotWindowBytes
  }

  /** The process dies without a word. */
  die(): void {
    this.hasCrashed = true
    this.clock.stop()
    this.log.sever()
  }
}

/** The fake log keeps by rules of its own; these say which topics hold values. */
function topicsOf({ hasValues, maxRatePerSecond }: Scenario): Backend['topics'] {
  const { topics } = memory()
  if (!hasValues) return topics
  const unlimited = { maxAgeMs: false, maxCount: false, maxBytes: false } as const
  return [{ match: parseSelector('s.>'), kind: 'state', retention: unlimited, maxRatePerSecond }, ...topics]
}
