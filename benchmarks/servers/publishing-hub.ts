// A hub inside a Node server that publishes by itself, in the same process and on the same thread as it delivers.
import { createHub } from '@millrace/node'
import { memory } from '@millrace/server'
import { setTimeout as delay } from 'node:timers/promises'
import { answer, measureMemory } from './answers.ts'
import { listen } from './listen.ts'

/** What is published to one topic, or to many in turn. */
export interface Publication {
  /** `{n}` becomes the number of the event modulo `topicCount`. */
  readonly topic: string
  readonly topicCount: number
  readonly eventsPerSecond: number
}

export interface PublishingHubSettings {
  /** Publishing begins when this many streams are open, and the referee, who waits for a second, has begun to measure. */
  readonly clients: number
  readonly publications: readonly Publication[]
  readonly seconds: number
  readonly dataBytes: number
}

export interface PublishingResult {
  readonly published: number
  readonly refused: number
  /** From when the first event was due to when the last one was stored. */
  readonly publishMs: number
}

const SETTLE_MS = 2_000
const POLL_MS = 50
const TICK_MS = 1

const { clients, publications, seconds, dataBytes } = JSON.parse(process.argv[2] ?? '') as PublishingHubSettings
const padding = 'x'.repeat(Math.max(0, dataBytes - '{"t":1234567890123,"i":1234,"p":""}'.length))
const hub = createHub({ backend: memory() })
const handle = hub.handler()
let published = 0
let refused = 0

listen((request, response) => void handle(request, response))
const result = run()
answer({ memory: measureMemory, result: () => result })

async function run(): Promise<PublishingResult> {
  await hub.ready()
  while (hub.stats().subscribers < clients) await delay(POLL_MS)
  await delay(SETTLE_MS)
  const startNs = process.hrtime.bigint()
  await Promise.all(publications.map((publication) => publishAll(publication, startNs)))
  return { published, refused, publishMs: Number(process.hrtime.bigint() - startNs) / 1e6 }
}

/** Publishes each event by itself when it is due; a turn that came late publishes all that are overdue. */
async function publishAll({ topic, topicCount, eventsPerSecond }: Publication, startNs: bigint): Promise<void> {
  const count = eventsPerSecond * seconds
  const pending: Promise<void>[] = []
  for (let next = 0; next < count; await delay(TICK_MS)) {
    const passedNs = Number(process.hrtime.bigint() - startNs)
    for (; next < count && (next * 1e9) / eventsPerSecond <= passedNs; next++) {
      // The time when it was due, not when it was published: a server that is too busy to publish gets no credit.
      const dueNs = Number(startNs) + Math.round((next * 1e9) / eventsPerSecond)
      pending.push(publish(topic.replace('{n}', String(next % topicCount)), dueNs, next))
    }
  }
  await Promise.all(pending)
}

async function publish(topic: string, t: number, i: number): Promise<void> {
  try {
    await hub.publish({ topic, data: { t, i, p: padding } })
    published++
  } catch {
    refused++
  }
}
