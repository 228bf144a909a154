import { formatEventId, parseTopic } from '@millrace/protocol'
import { createHub, LogError, memory, type Backend, type Hub, type HubLimits, type NewEvent } from '@millrace/server'
import { afterEach, expect, test } from 'vitest'
import { FakeClock } from './support/fake-clock.ts'
import { readBody } from './support/read-body.ts'

const hubs: Hub[] = []
const leaving = new AbortController()

afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close({ drainMs: 0 })
})

/** A hub that starts on a log in which these events are already; returns their ids too. */
async function startOn(
  events: readonly NewEvent[],
  backend: Backend = memory(),
  limits: Partial<HubLimits> = {},
): Promise<{ hub: Hub; ids: string[] }> {
  const positions = await backend.log.append(events)
  const hub = createHub({ backend, ...limits })
  hubs.push(hub)
  await hub.ready()
  return { hub, ids: positions.map((position) => formatEventId(position)) }
}

function numbered(count: number): NewEvent[] {
  return Array.from({ length: count }, (_, i) => ({ topic: parseTopic('a'), data: `number ${i + 1}.` }))
}

async function open(hub: Hub, query: string, lastEventId = ''): Promise<Response> {
  const headers = { 'Last-Event-ID': lastEventId }
  return hub.fetchHandler()(new Request(`http://localhost/events?${query}`, { headers, signal: leaving.signal }))
}

test('a hub that is ready has the newest events of its log at hand: who comes back needs no log', async () => {
  const backend = memory()
  const { hub, ids } = await startOn(numbered(50), backend, { hotWindowCount: 20 })
  expect(hub.stats()).toMatchObject({ hotWindowCount: 20, lagMs: 0, passes: 1 })
  const away = (): Promise<never> => Promise.reject(new LogError('unavailable', 'away'))
  Object.assign(backend.log, { read: away, bounds: away, snapshot: away })
  const text = await readBody(await open(hub, 'topic=a', ids[30]), 'number 50.')
  expect(text.match(/number \d+/g)).toEqual(numbered(19).map((_, i) => `number ${i + 32}`))
  // What is older is the log's.
  expect(await readBody(await open(hub, 'topic=a', ids[3]))).toContain('stream:reconnect')
})

test('nobody is sent as new what was published before the hub started', async () => {
  const backend = memory()
  await backend.log.append(numbered(5))
  const hub = createHub({ backend })
  hubs.push(hub)
  const early = hub.subscribe({ topics: ['a'] }).next()
  await hub.ready()
  const late = hub.subscribe({ topics: ['a'] }).next()
  const stream = await open(hub, 'topic=a')
  await hub.publish({ topic: 'a', data: 'new' })
  expect(await readBody(stream, 'new')).not.toContain('number')
  for (const read of [early, late]) expect((await read).value).toMatchObject({ data: 'new' })
})

test('what is at hand ages from when it was published', async () => {
  const clock = new FakeClock()
  const backend = memory({ clock, topics: [{ match: '>', retention: { maxAgeMs: 60_000 } }] })
  await backend.log.append(numbered(3))
  clock.advance(40_000)
  await backend.log.append(numbered(3))
  const hub = createHub({ backend, clock })
  hubs.push(hub)
  await hub.ready()
  expect(hub.stats().hotWindowCount).toBe(5)
  clock.advance(30_000)
  await backend.log.append(numbered(1))
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    clock.advance(0)
  }
  expect(hub.stats().hotWindowCount).toBe(4)
})
