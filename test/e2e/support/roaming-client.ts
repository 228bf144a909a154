import type { SeededRandom } from '@millrace/conformance'
import { EventStreamParser } from '@millrace/protocol'
import { POLLS, STREAMS, type Answer, type ManyDoors, type TransportName } from './transports.ts'

/** What a client asks for. */
export interface Wish {
  readonly topics: readonly string[]
  readonly types: readonly string[]
  readonly client: string | undefined
  readonly from: 'now' | 'snapshot' | 'earliest'
}

/** What a client was told, in the order in which it was. */
export type Entry =
  | {
      readonly kind: 'event'
      readonly id: string | undefined
      readonly topic: string
      readonly type: string
      readonly text: string
      readonly end: boolean
    }
  | { readonly kind: 'control'; readonly type: string; readonly id: string | undefined; readonly data: unknown }
  /** It has asked for other topics. They hold from somewhere behind here. */
  | { readonly kind: 'changed'; readonly topics: readonly string[]; readonly from: 'now' | 'snapshot' }

/** One stream or poll. */
export interface Leg {
  readonly transport: TransportName
  readonly isPoll: boolean
  readonly after: string
  readonly topics: readonly string[]
  readonly entries: Entry[]
}

/** What a client needs to know of the world. */
export interface Surroundings {
  readonly doors: ManyDoors
  /** How many events were published so far. */
  publishedCount(): number
  isQuiet(): boolean
}

const LOOK_MS = 3

/** A client that goes from transport to transport, and takes nothing along but its last id. */
export class RoamingClient {
  readonly name: string
  readonly wish: Wish
  readonly legs: Leg[] = []
  topics: readonly string[]
  lastId = ''
  readonly #random: SeededRandom
  readonly #around: Surroundings
  readonly #topicSets: readonly (readonly string[])[]
  #revision = 0

  constructor(
    name: string,
    wish: Wish,
    topicSets: readonly (readonly string[])[],
    random: SeededRandom,
    around: Surroundings,
  ) {
    this.name = name
    this.wish = wish
    this.topics = wish.topics
    this.#topicSets = topicSets
    this.#random = random
    this.#around = around
  }

  /** Roams while events are published. */
  async roam(): Promise<void> {
    while (!this.#around.isQuiet()) {
      const isPoll = this.#random.integer(1, 3) === 1
      if (isPoll) await this.#pollSome()
      else await this.#stream(this.#random.pick(STREAMS))
      // Some stay away for long enough to be told of a gap.
      if (this.#random.integer(1, 4) === 1) await this.#awaitCount(this.#random.integer(20, 400))
    }
  }

  /** Reads on until `isDone` says that it has all. */
  async finish(isDone: () => boolean): Promise<void> {
    if (this.#random.integer(1, 2) === 1) {
      for (let i = 0; i === 0 || (!isDone() && i < 100); i++) await this.#poll(this.#random.pick(POLLS), 0, true)
      return
    }
    await this.#stream(this.#random.pick(STREAMS), isDone)
  }

  async #awaitCount(count: number): Promise<void> {
    const target = this.#around.publishedCount() + count
    while (this.#around.publishedCount() < target && !this.#around.isQuiet()) await pause()
  }

  async #pollSome(): Promise<void> {
    const transport = this.#random.pick(POLLS)
    for (let left = this.#random.integer(1, 5); left > 0; left--) {
      const isAfterStream = this.legs.at(-1)?.isPoll === false
      await this.#poll(transport, this.#random.pick([0, 0, 0.05, 1]), isAfterStream)
    }
  }

  async #poll(transport: TransportName, waitSeconds: number, wantsAllValues: boolean): Promise<void> {
    const query = this.#query()
    query.set('wait', String(waitSeconds))
    if (wantsAllValues) query.set('state', 'all')
    const leg = this.#newLeg(transport)
    const answer = await this.#around.doors.ask(transport, query, this.#idHeaders(query))
    const parts: Buffer[] = []
    for await (const part of answer.chunks) parts.push(part)
    const text = Buffer.concat(parts).toString()
    if (answer.status !== 200) throw new Error(`${this.name}: a poll was answered ${answer.status} ${text}`)
    const { events, cursor, reset } = JSON.parse(text) as PollBody
    if (reset) leg.entries.push({ kind: 'control', type: 'stream:sync-required', id: undefined, data: reset })
    for (const { id, topic, type, data, end = false } of events) {
      const said = typeof data === 'string' ? data : JSON.stringify(data)
      const isControl = type.startsWith('stream:')
      if (isControl) leg.entries.push({ kind: 'control', type, id: id ?? undefined, data: data as object })
      else leg.entries.push({ kind: 'event', id: id ?? undefined, topic, type, text: said, end })
    }
    leg.entries.push({ kind: 'control', type: 'cursor', id: cursor, data: {} })
    this.lastId = cursor
  }

  async #stream(transport: TransportName, isDone?: () => boolean): Promise<void> {
    const query = this.#query()
    const leg = this.#newLeg(transport)
    const answer = await this.#around.doors.ask(transport, query, this.#idHeaders(query))
    if (answer.status !== 200) throw new Error(`${this.name}: a stream was answered ${answer.status}`)
    const target = this.#around.publishedCount() + this.#random.integer(0, 150)
    const isOver = isDone ?? (() => this.#around.publishedCount() >= target || this.#around.isQuiet())
    const watch = setInterval(() => {
      if (isOver()) answer.destroy()
    }, LOOK_MS)
    try {
      await this.#read(answer, leg, isDone ? Infinity : this.#random.integer(1, 20_000))
    } catch {
      // It was cut.
    } finally {
      clearInterval(watch)
      answer.destroy()
    }
  }

  async #read(answer: Answer, leg: Leg, budgetBytes: number): Promise<void> {
    let id: string | undefined
    let change: Promise<void> | undefined
    const wantsChange = budgetBytes !== Infinity && this.#random.integer(1, 3) === 1
    const parser = new EventStreamParser({
      onId: (next) => {
        id = next
        this.lastId = next
      },
      onEvent: ({ type, topic, data }) => {
        const ownId = id
        id = undefined
        const isControl = type.startsWith('stream:')
        if (isControl) leg.entries.push({ kind: 'control', type, id: ownId, data: JSON.parse(data) })
        else leg.entries.push({ kind: 'event', id: ownId, topic: topic ?? '', type, text: data, end: false })
        if (ownId !== undefined && wantsChange && !change) change = this.#changeTopics(leg)
      },
    })
    let leftBytes = budgetBytes
    try {
      for await (const chunk of answer.chunks) {
        const taken = chunk.subarray(0, Math.min(chunk.length, leftBytes))
        // Small pieces: the last block is cut where it happens.
        parser.push(taken)
        leftBytes -= taken.length
        if (leftBytes <= 0) break
      }
    } finally {
      answer.destroy()
      await change
    }
    const connected = leg.entries[0]
    if (connected?.kind !== 'control') return
    const { connection } = connected.data as Connected
    if (connection !== answer.header('millrace-connection')) throw new Error(`${this.name} reads ${connection}`)
  }

  async #changeTopics(leg: Leg): Promise<void> {
    const [connected] = leg.entries
    if (connected?.kind !== 'control') return
    const { connection, secret } = connected.data as Connected
    const topics = this.#random.pick(this.#topicSets)
    const from = this.#random.pick(['now', 'snapshot'] as const)
    const revision = ++this.#revision
    // Whether it is answered is not known yet; where it stands among the others is.
    const at = leg.entries.push({ kind: 'changed', topics, from }) - 1
    const response = await fetch(`${this.#around.doors.url}/events/${connection}/topics`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ topics, revision, secret, from }),
    })
    const text = await response.text()
    if (response.status === 200) this.topics = topics
    else if (response.status === 404) leg.entries.splice(at, 1)
    else throw new Error(`${this.name}: a change was answered ${response.status} ${text}`)
  }

  #newLeg(transport: TransportName): Leg {
    const isPoll = transport.endsWith('-poll')
    const leg: Leg = { transport, isPoll, after: this.lastId, topics: this.topics, entries: [] }
    this.legs.push(leg)
    return leg
  }

  #query(): URLSearchParams {
    const { types, client, from } = this.wish
    const query = new URLSearchParams({ from })
    for (const topic of this.topics) query.append('topic', topic)
    for (const type of types) query.append('type', type)
    if (client !== undefined) query.set('client', client)
    return query
  }

  #idHeaders(query: URLSearchParams): Record<string, string> {
    if (this.lastId === '') return {}
    if (this.#random.integer(1, 2) === 1) return { 'Last-Event-ID': this.lastId }
    query.set('last_event_id', this.lastId)
    return {}
  }
}

interface PollBody {
  readonly events: readonly {
    readonly id: string | null
    readonly topic: string
    readonly type: string
    readonly data: unknown
    readonly end?: boolean
  }[]
  readonly cursor: string
  readonly reset: { readonly reason: string; readonly from: string } | null
}

interface Connected {
  readonly connection: string
  readonly secret: string
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, LOOK_MS)
  })
}
