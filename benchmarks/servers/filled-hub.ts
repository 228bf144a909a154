// A hub whose log is full of events when it begins to listen, and that publishes by itself when it is told to.
import { createHub } from '@millrace/node'
import { memory, type RetentionLimits } from '@millrace/server'
import { sqlite } from '@millrace/sqlite'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { answer } from './answers.ts'
import { listen } from './listen.ts'

export interface FilledHubSettings {
  readonly backend: 'memory' | 'sqlite'
  /** Where its file is to be. */
  readonly folder: string
  /** Events to `topic.0`, `topic.1`, … in turn. */
  readonly eventCount: number
  readonly topicCount: number
  readonly dataBytes: number
  /** Of so many of the last events the ids are told. */
  readonly idCount: number
  /** Published to `live`, one by one, when it is asked to. */
  readonly liveEventsPerSecond: number
  readonly liveSeconds: number
}

export interface FilledHub {
  readonly firstId: string
  /** The time that all of the events carry, of CLOCK_MONOTONIC in nanoseconds. */
  readonly stampNs: number
  /** Of the last events, oldest first. */
  readonly ids: readonly string[]
}

export interface LiveResult {
  readonly published: number
  readonly refused: number
}

const KEEP_ALL: RetentionLimits = { maxCount: false, maxBytes: false, maxAgeMs: false }
const BATCH = 500
const TICK_MS = 1

const settings = JSON.parse(process.argv[2] ?? '') as FilledHubSettings
const topics = [{ match: '>', retention: KEEP_ALL }]
const hub = createHub({
  backend: settings.backend === 'memory' ? memory({ topics }) : sqlite(join(settings.folder, 'log.db'), { topics }),
  // The fill is faster than any delivery, and nobody listens to it.
  maxLagMs: 600_000,
})
const handle = hub.handler()
const filled = fill()
listen((request, response) => void handle(request, response))
answer({ result: () => filled, publish: publishLive })

async function fill(): Promise<FilledHub> {
  const { eventCount, topicCount, dataBytes, idCount } = settings
  await hub.ready()
  const stampNs = Number(process.hrtime.bigint())
  const data = { t: stampNs, i: 1000, p: 'x'.repeat(Math.max(0, dataBytes - 35)) }
  const { ids: first } = await hub.publish({ topic: 'before', data: null })
  const last: string[] = []
  for (let next = 0; next < eventCount; next += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, i) => ({ topic: `topic.${(next + i) % topicCount}`, data }))
    const { ids } = await hub.publish(batch)
    if (next + BATCH > eventCount - idCount) last.push(...ids.filter((id) => id !== null))
  }
  return { firstId: first[0] ?? '', stampNs, ids: last.slice(-idCount) }
}

async function publishLive(): Promise<LiveResult> {
  const { liveEventsPerSecond, liveSeconds, dataBytes } = settings
  const count = liveEventsPerSecond * liveSeconds
  const padding = 'x'.repeat(Math.max(0, dataBytes - 35))
  const startNs = process.hrtime.bigint()
  let published = 0
  let refused = 0
  const pending: Promise<void>[] = []
  for (let next = 0; next < count; await delay(TICK_MS)) {
    const passedNs = Number(process.hrtime.bigint() - startNs)
    for (; next < count && (next * 1e9) / liveEventsPerSecond <= passedNs; next++) {
      // The time when it was due, not when it was published.
      const t = Number(startNs) + Math.round((next * 1e9) / liveEventsPerSecond)
      const publishing = hub.publish({ topic: 'live', data: { t, i: next, p: padding } })
      pending.push(
        publishing.then(
          () => void published++,
          () => void refused++,
        ),
      )
    }
  }
  await Promise.all(pending)
  return { published, refused }
}
