// Reads one stream through one kind of EventSource, in a process of its own, and says how fast.
// node read-tokens.ts millrace|eventsource|undici URL EVENT_COUNT
import { EventSource as Millrace } from '@millrace/client'
import { EventSource as Npm } from 'eventsource'
import { EventSource as Undici } from 'undici'

const WARM_UP_EVENTS = 20_000
const [name = '', url = '', eventCount = ''] = process.argv.slice(2)
const classes = { millrace: Millrace, eventsource: Npm, undici: Undici } as const
const source: EventTarget & { close(): void } = new classes[name as keyof typeof classes](url)
let count = 0
let characters = 0
let startedMs = 0
let startedCpu = process.cpuUsage()
source.addEventListener('message', (event) => {
  characters += (event as MessageEvent<string>).data.length
  if (++count === WARM_UP_EVENTS) {
    startedMs = performance.now()
    startedCpu = process.cpuUsage()
  }
  if (count !== Number(eventCount)) return
  source.close()
  const events = count - WARM_UP_EVENTS
  const { user, system } = process.cpuUsage(startedCpu)
  const eventsPerSecond = (events / (performance.now() - startedMs)) * 1000
  process.stdout.write(JSON.stringify({ eventsPerSecond, cpuUsPerEvent: (user + system) / events, characters }))
})
