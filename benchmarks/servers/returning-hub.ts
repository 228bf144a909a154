// A hub that has published what its clients missed, and gives the id from which they come back.
import { createHub } from '@millrace/node'
import { memory } from '@millrace/server'
import { answer } from './answers.ts'
import { listen } from './listen.ts'

export interface ReturningHubSettings {
  /** Events to the topic `common`. */
  readonly commonCount: number
  /** Topics `group.0`, `group.1`, … and the events to each. */
  readonly groupCount: number
  readonly eventsPerGroup: number
  readonly dataBytes: number
}

export interface MissedEvents {
  /** The id before everything that was missed. */
  readonly lastEventId: string
  /** The time that all of the events carry, of CLOCK_MONOTONIC in nanoseconds. */
  readonly stampNs: number
}

const settings = JSON.parse(process.argv[2] ?? '') as ReturningHubSettings
const hub = createHub({ backend: memory() })
const handle = hub.handler()
listen((request, response) => void handle(request, response))
const missed = publishMissed()
answer({ result: () => missed })

async function publishMissed(): Promise<MissedEvents> {
  const { commonCount, groupCount, eventsPerGroup, dataBytes } = settings
  await hub.ready()
  const stampNs = Number(process.hrtime.bigint())
  const data = { t: stampNs, i: 1000, p: 'x'.repeat(Math.max(0, dataBytes - 35)) }
  const { ids } = await hub.publish({ topic: 'before', data: null })
  for (let i = 0; i < commonCount; i++) await hub.publish({ topic: 'common', data })
  for (let i = 0; i < eventsPerGroup; i++) {
    for (let group = 0; group < groupCount; group++) await hub.publish({ topic: `group.${group}`, data })
  }
  return { lastEventId: ids[0] ?? '', stampNs }
}
