// The engine without sockets: its transports take everything and do nothing. Prints one line of JSON.
import { createHub, memory, readSubscribeRequest, systemClock, type Clock, type Transport } from '@millrace/server'
import { parseSelector } from '@millrace/protocol'

export interface EngineSettings {
  readonly clients: number
  /** Whether each client has a topic of its own beside the common one. */
  readonly hasOwnTopics: boolean
  /** Events that a pass finds waiting: to the common topic, and to clients' own topics. */
  readonly commonPerPass: number
  readonly ownPerPass: number
  readonly passes: number
  readonly dataBytes: number
}

export interface EngineCost {
  readonly deliveries: number
  /** CPU of the process for each event that a client got, in nanoseconds. */
  readonly nsPerDelivery: number
}

const WARM_UP_PASSES = 20

const settings = JSON.parse(process.argv[2] ?? '') as EngineSettings
const { clients, hasOwnTopics, commonPerPass, ownPerPass, passes, dataBytes } = settings
let due: (() => void)[] = []
const clock: Clock = { ...systemClock, soon: (callback) => due.push(callback), after: later }
const hub = createHub({ backend: memory(), clock, flushIntervalMs: 0, heartbeatMs: 3_600_000 })
const data = { p: 'x'.repeat(dataBytes - 8) }
let nextOwn = 0

await hub.ready()
for (let n = 0; n < clients; n++) await open(n)
await run(WARM_UP_PASSES)
const before = process.cpuUsage()
const delivered = deliveredCount()
await run(passes)
const { user, system } = process.cpuUsage(before)
const deliveries = deliveredCount() - delivered
const cost: EngineCost = { deliveries, nsPerDelivery: ((user + system) * 1000) / deliveries }
process.stdout.write(`${JSON.stringify(cost)}\n`)
process.exit(0)

async function open(n: number): Promise<void> {
  const query = new URLSearchParams({ topic: hasOwnTopics ? `common,own.${n}` : 'common' })
  const request = readSubscribeRequest(query, undefined, {
    defaultSelectors: [parseSelector('>')],
    maxTopicsPerStream: 2,
  })
  const admission = await hub.admit(request)
  if (admission.kind === 'accepted') admission.open(sink())
}

function sink(): Transport {
  return {
    bufferedBytes: 0,
    attach: () => undefined,
    write: () => true,
    end: () => undefined,
    destroy: () => undefined,
  }
}

/** Publishes what a pass is to find, then lets it run. */
async function run(count: number): Promise<void> {
  for (let pass = 0; pass < count; pass++) {
    const events = Array.from({ length: commonPerPass }, () => ({ topic: 'common', data }))
    for (let i = 0; i < ownPerPass; i++) events.push({ topic: `own.${nextOwn++ % clients}`, data })
    await hub.publish(events)
    while (due.length > 0) {
      const now = due
      due = []
      for (const callback of now) callback()
    }
  }
}

function deliveredCount(): number {
  let count = 0
  for (const subscriber of hub.subscribers()) count += subscriber.events
  return count
}

function later(delayMs: number, callback: () => void): () => void {
  return systemClock.after(delayMs, callback)
}
