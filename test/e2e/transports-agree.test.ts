/** Invariant 6: whatever transport a client uses, and in whatever order it changes them, it gets the same events. */
import { SeededRandom } from '@millrace/conformance'
import { memory, type Backend, type TopicRule } from '@millrace/server'
import { sqlite } from '@millrace/sqlite'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { DeliveryModel, Judge } from './support/delivery-model.ts'
import { RoamingClient, type Surroundings, type Wish } from './support/roaming-client.ts'
import { openDoors, type ManyDoors } from './support/transports.ts'

const CLIENT_COUNT = 24
const PUBLISHER_COUNT = 4
const PUBLICATIONS_EACH = 350
const TIMEOUT_MS = 30_000
/** Few are kept of these, so that some who come back have missed too many. */
const FEW = 'few.>'
const RULES: readonly TopicRule[] = [
  { match: 'rated.>', kind: 'state', maxRatePerSecond: 25, retention: { maxCount: 20 } },
  { match: 'state.>', kind: 'state', retention: { maxCount: 20 } },
  { match: FEW, retention: { maxCount: 60 } },
  { match: '>', retention: { maxCount: 100_000 } },
]
const LOG_TOPICS = ['news.eu', 'news.us', 'news.us.ny', 'jobs.1', 'jobs.2', 'jobs.3', 'few.a', 'few.b', 'chat']
const STATE_TOPICS = ['state.x', 'state.y', 'rated.x', 'rated.y']
const SELECTORS = ['news.>', 'news.*', 'jobs.1', 'jobs.*', 'few.a', 'few.>', 'chat', '*.x', 'state.>', 'rated.x', '>']
const TYPES = ['message', 'added', 'removed']
const CLIENTS = ['tab-1', 'tab-2', 'tab-3']
/** Everybody wants its one event, after which there are none. */
const FENCE = { topic: 'fence', type: 'message' }

/** What a hub holds when all have left. */
const NOBODY = { subscribers: 0, live: 0, audiences: 0, indexEntries: 0, pendingCatchUps: 0, pendingReads: 0 }

function drawTopics(random: SeededRandom): string[] {
  return [...new Set([FENCE.topic, random.pick(SELECTORS), random.pick(SELECTORS), random.pick(LOG_TOPICS)])]
}

function drawWish(random: SeededRandom): Wish {
  return {
    topics: drawTopics(random),
    types: random.pick([[], [], ['message', 'added'], ['message']]),
    client: random.integer(1, 4) === 1 ? undefined : random.pick(CLIENTS),
    from: random.pick(['now', 'snapshot', 'earliest']),
  }
}

/** Publishes, and writes down what it was answered. */
class Publishers {
  count = 0
  isDone = false
  readonly #doors: ManyDoors
  readonly #model: DeliveryModel
  #next = 0

  constructor(doors: ManyDoors, model: DeliveryModel) {
    this.#doors = doors
    this.#model = model
  }

  async run(seed: number): Promise<void> {
    const random = new SeededRandom(seed)
    for (let i = 0; i < PUBLICATIONS_EACH; i++) {
      const size = random.integer(1, 6) === 1 ? random.integer(2, 5) : 1
      await this.publish(Array.from({ length: size }, () => this.#draw(random)))
      // Bursts, and pauses in which everything is flushed.
      if (random.integer(1, 3) === 1) await new Promise((resolve) => setTimeout(resolve, random.integer(0, 15)))
    }
  }

  async publish(events: readonly Fresh[]): Promise<number> {
    for (const { ephemeral, except, ...event } of events) {
      if (ephemeral) this.#model.addPassing({ ...event, text: textOf(event.data), except })
    }
    const { ids } = await this.#doors.hub.publish(events)
    for (const [i, { topic, type, data, key = '', except, end = false, ephemeral }] of events.entries()) {
      const id = ids[i]
      if (id) this.#model.add({ id, topic, type, text: textOf(data), key, except, end })
      if (!ephemeral) this.count++
    }
    return Number(ids.at(-1)?.split('-')[1])
  }

  #draw(random: SeededRandom): Fresh {
    const n = this.#next++
    const type = random.pick(TYPES)
    const except = random.integer(1, 5) === 1 ? random.pick(CLIENTS) : undefined
    const common = { type, ...(except === undefined ? {} : { except }) }
    const data = random.integer(1, 2) === 1 ? `event ${n}` : { n, text: 'é\n'.repeat(random.integer(0, 60)) }
    switch (random.integer(1, 10)) {
      case 1:
        return { ...common, topic: random.pick(LOG_TOPICS), data, ephemeral: true }
      case 2:
      case 3:
      case 4: {
        const key = random.pick(['a', 'b', 'c'])
        return { ...common, topic: random.pick(STATE_TOPICS), data, key }
      }
      default: {
        const topic = random.pick(LOG_TOPICS)
        const end = topic.startsWith('jobs.') && random.integer(1, 4) === 1
        return { ...common, topic, data, ...(end ? { end } : {}) }
      }
    }
  }
}

interface Fresh {
  readonly topic: string
  readonly type: string
  readonly data: unknown
  readonly key?: string
  readonly except?: string
  readonly end?: true
  readonly ephemeral?: true
}

function textOf(data: unknown): string {
  return typeof data === 'string' ? data : JSON.stringify(data)
}

function isOf(...names: readonly string[]): (topic: string) => boolean {
  return (topic) => names.some((name) => topic.startsWith(`${name}.`))
}

function backendOf(kind: string): Backend {
  if (kind === 'memory') return memory({ topics: RULES })
  const folder = mkdtempSync(join(tmpdir(), 'millrace-e2e-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return sqlite(join(folder, 'hub.db'), { topics: RULES })
}

test.for([
  ['memory', 1],
  ['memory', 2],
  ['sqlite', 3],
  ['sqlite', 4],
] as const)(
  'clients that change transports at random miss nothing and get nothing twice, with %s, seed %d (MR-HTTP-10, MR-HTTP-11, MR-RES-16)',
  { timeout: TIMEOUT_MS },
  async ([kind, seed]) => {
    const doors = await openDoors(backendOf(kind), { heartbeatMs: 100, hotWindowCount: 200, maxBufferBytes: 4_096 })
    const model = new DeliveryModel({ isState: isOf('state', 'rated'), isEvictable: isOf('few') })
    const publishers = new Publishers(doors, model)
    const around: Surroundings = {
      doors,
      publishedCount: () => publishers.count,
      isQuiet: () => publishers.isDone,
    }
    const random = new SeededRandom(seed)
    const sets = Array.from({ length: 12 }, () => drawTopics(random))
    const clients = Array.from({ length: CLIENT_COUNT }, (_, i) => {
      const own = new SeededRandom(seed * 1_000 + i)
      return new RoamingClient(`client ${i}`, drawWish(own), sets, own, around)
    })
    const roaming = Promise.all(clients.map((client) => client.roam()))
    await Promise.all(Array.from({ length: PUBLISHER_COUNT }, (_, i) => publishers.run(seed * 100 + i)))
    const lastSeq = await publishers.publish([{ ...FENCE, data: 'the end' }])
    publishers.isDone = true
    await roaming
    const hasAll = (client: RoamingClient): boolean => hasFinalState(client, model, lastSeq)
    await Promise.all(clients.map((client) => client.finish(() => hasAll(client))))
    await expect.poll(() => doors.hub.stats(), { timeout: 5_000 }).toMatchObject(NOBODY)

    const tally = new Map<string, number>()
    const faults: string[] = []
    for (const client of clients) {
      const judge = new Judge(model, client)
      judge.judge(client, lastSeq)
      faults.push(...judge.faults)
      for (const [what, count] of judge.tally) tally.set(what, (tally.get(what) ?? 0) + count)
    }
    expect(faults).toEqual([])
    const rare = ['stream:sync-required', 'stream:topics', 'stream:end', 'snapshot', 'ephemeral', 'value']
    expect(rare.filter((what) => !tally.has(what))).toEqual([])
  },
)

/** Whether a client has the end, and on the stream on which it came the newest of all values. */
function hasFinalState({ lastId, legs, topics, wish }: RoamingClient, model: DeliveryModel, lastSeq: number): boolean {
  if (Number(lastId.split('-')[1]) < lastSeq) return false
  const texts = new Set(legs.at(-1)?.entries.map((entry) => (entry.kind === 'event' ? entry.text : '')))
  return model.newestValuesFor(topics, wish).every(({ text }) => texts.has(text))
}
