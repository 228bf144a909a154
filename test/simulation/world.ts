import type { EventContent } from '@millrace/server'
import { BlipWatch } from './blip-watch.ts'
import type { Connection, ConnectionHost } from './connection.ts'
import { FakeClient } from './fake-client.ts'
import type { SimulatedTime } from './fake-clock.ts'
import { FakeLog } from './fake-log.ts'
import { FakeNode, type EngineUnderTest } from './fake-node.ts'
import { FakeReader } from './fake-reader.ts'
import { History } from './history.ts'
import type { LedgerTerms } from './knowledge.ts'
import { Ledger } from './ledger.ts'
import { Random } from './random.ts'
import { drawRequest, drawScenario, type Scenario } from './scenario.ts'
import { must } from './violation.ts'
import { wantsOf, type Wants } from './wants.ts'

/** So many turns in a row without any time going by are a loop without end. */
const MOST_TURNS = 2_000

/** Everything that a run is made of, and what can happen in it. What happens when is decided elsewhere. */
export class World implements ConnectionHost {
  readonly random: Random
  readonly scenario: Scenario
  readonly history: History
  readonly log: FakeLog
  readonly nodes: FakeNode[] = []
  readonly clients: FakeClient[] = []
  readonly readers: FakeReader[] = []
  readonly connections = new Set<Connection>()
  readonly story: string[] = []
  /** Ephemeral events that were published, by number. */
  readonly blips = new Map<number, EventContent>()
  readonly blipWatch = new BlipWatch(this.blips)
  /** When the log was last away. Milliseconds. */
  logAwayAtMs = -Infinity
  pendingPublishes = 0
  /** Some process has died: what it was doing is never answered. */
  hadCrash = false
  readonly #engine: EngineUnderTest
  readonly #time: SimulatedTime = { nowMs: 0, skewMs: 0 }
  readonly #tells: boolean
  readonly #commonWants: Wants
  #fault: Error | undefined
  #bornNodes = 0
  #numbers = 0
  get #changers(): number {
    return this.scenario.pace['change-topics'] > 0 && !this.isProbing ? 0.5 : 0
  }

  /** Questions are being asked, each by a client of its own. */
  isProbing = false

  constructor(seed: number, engine: EngineUnderTest, tells: boolean) {
    this.random = new Random(seed)
    this.#engine = engine
    this.#tells = tells
    this.scenario = drawScenario(this.random.fork())
    this.history = new History(this.random.fork())
    this.log = new FakeLog(
      this.history,
      this.scenario.log,
      () => 1_700_000_000_000 + Math.floor(this.nowMs) + this.#time.skewMs,
    )
    for (let i = 0; i < this.scenario.nodeCount; i++) this.addNode()
    this.#commonWants = wantsOf(drawRequest(this.random, this.scenario))
    for (let i = 0; i < this.scenario.clientCount; i++) this.addClient(this.drawWants())
    for (let i = 0; i < this.scenario.crowdCount; i++) this.addClient(this.#commonWants)
    for (let i = 0; i < this.scenario.readerCount; i++) this.#addReader(`r${i}`)
  }

  /** The next number of a value or an ephemeral event. */
  next(): number {
    return ++this.#numbers
  }

  get nowMs(): number {
    return this.#time.nowMs
  }

  /** How late the run lets the engine be at the most. Milliseconds. */
  get graceMs(): number {
    return 60 + this.scenario.creepMs * (20 + 4 * this.connections.size)
  }

  tell(text: () => string): void {
    if (this.#tells) this.story.push(text())
  }

  /** Keeps the first fault; {@link throwFault} throws it outside of the engine. */
  fault(error: unknown): void {
    this.#fault ??= error instanceof Error ? error : new Error(String(error))
  }

  throwFault(): void {
    if (this.#fault) throw this.#fault
  }

  /** Lets all promises run on, then looks whether every rule still holds. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    for (const node of this.nodes) {
      node.watchFlush()
      this.fire(() => node.memory.check())
      if (node.tail?.fault !== undefined) this.fault(node.tail.fault)
    }
    if (this.log.failing) this.logAwayAtMs = this.nowMs
    for (const connection of this.connections) connection.check()
    this.fire(() => this.blipWatch.check(this.nowMs))
    this.throwFault()
  }

  addNode(): FakeNode {
    const name = `node${this.#bornNodes++}`
    const node = new FakeNode(name, this.#engine, {
      scenario: this.scenario,
      log: this.log,
      time: this.#time,
      random: this.random.fork(),
      onFault: (error) => this.fault(error),
      onBlip: (from, number) => this.blipWatch.hand(from, number, this.connections),
    })
    this.nodes.push(node)
    node.hub.ready().then(
      () => {
        node.isReady = true
      },
      (error: unknown) => {
        if (!node.hasCrashed && !node.isDraining) this.fault(error)
      },
    )
    this.tell(() => `${name} starts`)
    return node
  }

  /** What a new client asks for: half of them want the same. */
  drawWants(): Wants {
    return this.random.chance(0.5) ? this.#commonWants : wantsOf(drawRequest(this.random, this.scenario))
  }

  #addReader(name: string): void {
    const { request } = this.drawWants()
    const { selectors } = request
    const wanted = wantsOf({
      ...request,
      nameBy: 'type',
      envelope: false,
      client: undefined,
      slowPolicy: undefined,
    })
    // It gets events, and no marks: the end of a topic is a field of its last event.
    const owesEnd: Wants['owesEnd'] = (event) => wanted.owesEnd(event) && wanted.accepts(event)
    const wants = { ...wanted, owesMark: () => false, owesEnd }
    this.readers.push(new FakeReader(name, wants, this.newLedger(wants, true)))
    this.tell(() => `${name} wants ${selectors.join(',')} [${request.types.join(',')}] from ${request.from}`)
  }

  newLedger(wants: Wants, valuesLag = false): Ledger {
    const { slowPolicy, maxReplayCount } = this.scenario.limits
    const { exactEviction } = this.log
    const terms: LedgerTerms = { exactEviction, slowPolicy, maxReplayCount, blips: this.blips, valuesLag }
    return new Ledger(this.history, wants, terms)
  }

  addClient(wants: Wants): FakeClient {
    const ledger = this.newLedger(wants)
    const { request } = wants
    const browser = this.random.chance(0.5) ? 'chromium' : 'firefox'
    const client = new FakeClient(
      `c${this.clients.length}`,
      browser,
      wants,
      ledger,
      this.#changers > 0 && this.random.chance(this.#changers),
    )
    this.clients.push(client)
    const look = `${request.envelope ? ' envelope' : ''}${request.nameBy === 'topic' ? ' name=topic' : ''}`
    this.tell(
      () =>
        `${client.name} (${browser}) wants ${request.selectors.join(',')} [${request.types.join(',')}] from ${request.from}${look} as ${request.client ?? 'nobody'}, ${request.slowPolicy ?? 'as the hub'}`,
    )
    return client
  }

  connectionOf(client: FakeClient): Connection | undefined {
    for (const connection of this.connections)
      if (connection.client === client && !connection.isAbandoned) return connection
    return undefined
  }

  get openConnections(): Connection[] {
    return [...this.connections].filter((connection) => connection.socket)
  }

  /** The client stops reading; the server does not know yet. */
  abandon(connection: Connection): void {
    connection.isAbandoned = true
  }

  /** Bytes move, and what is over is noticed by the client. */
  moveBytes(connection: Connection, pumpBytes: number, readBytes: number): void {
    const { socket, client } = connection
    if (!socket) return
    let isMoving = true
    while (isMoving) {
      socket.pump(pumpBytes)
      if (connection.isAbandoned) return
      const bytes = socket.read(readBytes)
      isMoving = pumpBytes === Infinity && bytes.byteLength > 0
      if (bytes.byteLength === 0) break
      client.feed(bytes)
      this.tell(() => `  ${client.name} reads ${bytes.byteLength} bytes and holds ${client.lastEventId}`)
    }
    if (socket.finished) {
      this.tell(() => `${client.name} sees the end of its stream`)
      this.abandon(connection)
    }
  }

  /** Tells the engine what it is owed about a socket: that it drained, or that it is gone. */
  notify(connection: Connection): void {
    const { socket } = connection
    if (!socket) return
    if (socket.owesDrain) {
      this.tell(() => `${connection.name} has drained`)
      socket.tellDrain()
    } else if (socket.owesClose) {
      this.tell(() => `${connection.node.name} learns that ${connection.name} is gone`)
      socket.tellClose()
      connection.isOver = true
    }
    this.forget(connection)
  }

  /** A connection that neither end knows any more is dropped. */
  forget(connection: Connection): void {
    if (connection.isAbandoned && (connection.isOver || connection.node.hasCrashed)) this.connections.delete(connection)
  }

  /** Moves time on: punctually from one timer to the next, or late, at one go. */
  async advance(ms: number, punctually: boolean): Promise<void> {
    const target = this.nowMs + ms
    if (!punctually) this.#moveTime(target)
    for (;;) {
      const next = this.#nextTimerNode()
      const dueMs = next?.clock.nextDueMs
      if (!next || dueMs === undefined || dueMs > target) break
      this.#moveTime(dueMs)
      this.tell(() => `${this.nowMs.toFixed(1)} ms: a timer of ${next.name}`)
      this.fire(() => next.clock.fireDueTimer())
      await this.settle()
      if (punctually) await this.#runTurns()
    }
    this.#moveTime(target)
  }

  async #runTurns(): Promise<void> {
    for (const node of this.nodes) {
      for (let turn = 0; node.clock.soonCount > 0; turn++) {
        must(turn < MOST_TURNS, 'liveness', () => `${node.name} never rests`)
        this.tell(() => `a turn of ${node.name}`)
        this.fire(() => node.clock.runSoon(this.random))
        await this.settle()
      }
    }
  }

  #moveTime(toMs: number): void {
    if (toMs <= this.nowMs) return
    this.#time.nowMs = toMs
    for (const node of this.nodes) if (node.clock.soonCount > 0) node.starvedUntilMs = toMs
  }

  get nextTimerMs(): number | undefined {
    return this.#nextTimerNode()?.clock.nextDueMs
  }

  /** The time of day jumps. */
  skew(ms: number): void {
    this.#time.skewMs += ms
  }

  /** Calls into the engine; what it throws is a fault. */
  fire(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.fault(error)
    }
  }

  #nextTimerNode(): FakeNode | undefined {
    let first: FakeNode | undefined
    for (const node of this.nodes) {
      const due = node.clock.nextDueMs
      if (due !== undefined && due < (first?.clock.nextDueMs ?? Infinity)) first = node
    }
    return first
  }
}
