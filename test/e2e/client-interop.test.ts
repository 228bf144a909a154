/** Clients of others against our hub, and our clients against servers of others: in order, with ids, over cuts. */
import { connect, EventSource } from '@millrace/client'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { startCuttingProxy } from './support/cutting-proxy.ts'
import { resumingClients } from './support/other-clients.ts'
import { otherServers } from './support/other-servers.ts'
import { startTestHub } from './support/test-hub.ts'

const PATIENCE = { timeout: 20_000, interval: 20 }

describe('the hub serves clients of others', () => {
  beforeAll(() => {
    // What one of them takes for granted, even after it was ended: so it stays for the whole file.
    const nothing = (): void => {}
    vi.stubGlobal('window', globalThis)
    vi.stubGlobal('document', { hidden: false, addEventListener: nothing, removeEventListener: nothing })
    // Another writes down each cut.
    vi.spyOn(console, 'error').mockImplementation(nothing)
  })

  test.each(resumingClients)('$name misses nothing and doubles nothing over cuts', async ({ listen }) => {
    const hub = await startTestHub({ retryMs: 100 })
    const proxy = await startCuttingProxy({ port: hub.port, pages: {} })
    const counts: number[] = []
    onTestFinished(
      listen(`${proxy.origin}/events?topic=a.x`, (data) => void counts.push((JSON.parse(data) as { n: number }).n)),
    )
    await expect.poll(() => hub.hub.stats().subscribers, PATIENCE).toBe(1)
    let next = 1
    for (const kind of ['fin', 'rst', 'fin'] as const) {
      await hub.publish('a.x', [next, next + 1, next + 2])
      next += 3
      await expect.poll(() => counts.length, PATIENCE).toBe(next - 1)
      proxy.cutNow(kind)
      await hub.publish('a.x', [next, next + 1])
      next += 2
      await expect.poll(() => counts.length, PATIENCE).toBe(next - 1)
    }
    expect(counts).toEqual(Array.from({ length: 15 }, (_, i) => i + 1))
    expect(proxy.passages.length).toBe(4)
  })
})

describe('connect reads servers of others', () => {
  for (const server of otherServers) {
    test.skipIf(!server.isAvailable())(`${server.name}: in order, with ids, over ends of the stream`, async () => {
      const { url, stop } = await server.start()
      onTestFinished(stop)
      const failures: string[] = []
      const stream = connect<{ tick: string }>(url, { onError: ({ code }) => void failures.push(code) })
      onTestFinished(() => stream.close())
      const heard: string[] = []
      for await (const { id, data } of stream) if (heard.push(`${id}:${data}`) === 6) break
      expect(heard).toEqual(['1:n 1', '2:n 2', '3:n 3', '4:n 4', '5:n 5', '6:n 6'])
      expect(stream.diagnostics()).toMatchObject({ floorMs: 100, transport: 'stream', heartbeatMs: undefined })
      // What ends in the ordinary way is asked again, and is no other fault.
      expect(new Set(failures)).toEqual(new Set(['ended']))
    })
  }
})

describe('our EventSource reads servers of others', () => {
  for (const server of otherServers) {
    test.skipIf(!server.isAvailable())(`${server.name}: in order, with ids, over ends of the stream`, async () => {
      const { url, stop } = await server.start()
      onTestFinished(stop)
      const source = new EventSource(url)
      onTestFinished(() => source.close())
      const heard: string[] = []
      source.addEventListener('tick', ({ data, lastEventId }) => void heard.push(`${lastEventId}:${data}`))
      await expect.poll(() => heard.length, PATIENCE).toBeGreaterThanOrEqual(6)
      source.close()
      expect(heard.slice(0, 6)).toEqual(['1:n 1', '2:n 2', '3:n 3', '4:n 4', '5:n 5', '6:n 6'])
    })
  }
})
