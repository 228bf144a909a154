import { getEventListeners } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { EventSource } from '@millrace/client'
import { startScriptServer, type ScriptServer } from './conformance/server.ts'
import { World } from './conformance/world.ts'

const SOURCES = 25
const CUTS_OF_EACH = 40

let server: ScriptServer
beforeAll(async () => {
  server = await startScriptServer()
})
afterAll(() => server.close())

test(
  'a thousand forced disconnects leave no timer, no listener and no socket behind',
  { timeout: 60_000 },
  async () => {
    const before = resources()
    const { signal } = new AbortController()
    const world = new World(EventSource, server.origin)
    const url = world.url({ body: 'retry: 100\nid: 1\ndata: x\n\n', end: 'cut' })
    const sources = Array.from({ length: SOURCES }, () => new EventSource(url, { signal }))
    expect(getEventListeners(signal, 'abort').length).toBe(SOURCES)
    const errors = new Map<EventSource, number>()
    for (const source of sources) {
      source.addEventListener('error', () => {
        const count = (errors.get(source) ?? 0) + 1
        errors.set(source, count)
        if (count === CUTS_OF_EACH) source.close()
      })
    }
    await expect
      .poll(() => sources.filter(({ readyState }) => readyState === EventSource.CLOSED).length, { timeout: 50_000 })
      .toBe(SOURCES)
    expect([...errors.values()]).toEqual(Array.from({ length: SOURCES }, () => CUTS_OF_EACH))
    expect((await world.seen(url)).length).toBe(SOURCES * CUTS_OF_EACH)
    expect(getEventListeners(signal, 'abort')).toEqual([])
    await expect.poll(() => server.connectionCount(), { timeout: 10_000 }).toBeLessThanOrEqual(1)
    await expect.poll(() => resources(), { timeout: 10_000 }).toEqual(before)
  },
)

/** Timers and sockets that are open in this process, by kind; the runner's own and the server's listening one included. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) {
    if (kind === 'Timeout' || kind.startsWith('TCPSocket')) counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}
