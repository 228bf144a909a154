/** What becomes of a client that does not keep up, by the hub's policy and limits, over real HTTP. */
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { CAUGHT_UP, CONNECTED, count, replay, resume, SYNC_REQUIRED } from './support/resume-client.ts'
import { isPublished, openStream, type StreamReader } from './support/stream-reader.ts'
import { numbers, startTestHub, type TestHub } from './support/test-hub.ts'

const PADDING = 'x'.repeat(60_000)

test('[MR-RES-15] policy catch-up: it reads on from its position as it drains, on the same stream', async () => {
  const hub = await startTestHub({ hotWindowCount: 20 })
  const stream = await openPaused(hub)
  const last = await publishUntil(hub, () => states(hub).includes('catching-up'))
  stream.resume()
  await stream.until((block) => count(block) === last)
  expect(stream.events.map(count)).toEqual(numbers(1, last))
  expect(stream.all.filter((block) => CAUGHT_UP(block) || SYNC_REQUIRED(block))).toEqual([])
  await pause(50)
  expect(states(hub)).toEqual(['live'])
})

test('[MR-RES-15] policy disconnect: it is cut off, and its id is good for coming back', async () => {
  const hub = await startTestHub({ slowPolicy: 'disconnect' })
  const stream = await openPaused(hub)
  const last = await publishUntil(hub, () => states(hub).length === 0)
  stream.resume()
  const seen = (await stream.rest()).filter(isPublished).map(count)
  expect(seen).toEqual(numbers(1, seen.length))
  expect(seen.length).toBeLessThan(last)
  expect(stream.isWhole).toBe(false)
  const rest = await replay(await resume(hub.url, stream.ids.at(-1)))
  expect([...seen, ...rest]).toEqual(numbers(1, last))
})

test('a client that takes no byte for staleMs is cut off, and its id is good for coming back', async () => {
  const hub = await startTestHub({ maxUnsentMs: 200, staleMs: 600 })
  const stream = await openPaused(hub)
  const last = await publishUntil(hub, () => states(hub).includes('catching-up'))
  const startMs = performance.now()
  while (states(hub).length > 0) await pause(20)
  expect(performance.now() - startMs).toBeGreaterThan(300)
  stream.resume()
  const seen = (await stream.rest()).filter(isPublished).map(count)
  const rest = await replay(await resume(hub.url, stream.ids.at(-1)))
  expect([...seen, ...rest]).toEqual(numbers(1, last))
})

test('a client that has nothing to take is never stale', async () => {
  const hub = await startTestHub({ heartbeatMs: 60_000, maxUnsentMs: 200, staleMs: 600 })
  const stream = await openPaused(hub)
  await pause(2_000)
  expect(states(hub)).toEqual(['live'])
  stream.resume()
  await hub.publish('a', [1])
  await stream.until(isPublished)
  expect(stream.events.map(count)).toEqual([1])
})

test('[MR-RES-15] when the buffers of all clients hold too much, some of those that never read are cut off', async () => {
  const maxPendingBytesTotal = 512 * 1024
  const hub = await startTestHub({ maxPendingBytesTotal, maxUnsentMs: 600_000, staleMs: false })
  const reading = await openStream(`${hub.url}?topic=read`, { patienceMs: 20_000 })
  const paused = await Promise.all(Array.from({ length: 10 }, (_, n) => openPaused(hub, `?topic=own.${n}`)))
  const published = paused.map(() => 0)
  for (let round = 0; round < 200 && states(hub).length > paused.length; round++) {
    for (let n = 0; n < paused.length; n++) {
      await hub.hub.publish({
        topic: `own.${n}`,
        data: { n: (published[n] = (published[n] ?? 0) + 1), padding: PADDING },
      })
    }
    await hub.publish('read', [round + 1])
    await pause(2)
  }
  // Two are enough to get a buffer's worth below the limit; all together would have more than a megabyte.
  const cutCount = paused.length + 1 - states(hub).length
  expect(cutCount).toBeGreaterThan(0)
  expect(cutCount).toBeLessThan(paused.length)
  const waiting = Array.from(hub.hub.subscribers(), ({ bufferedBytes }) => bufferedBytes)
  expect(waiting.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(maxPendingBytesTotal + 16 * 64 * 1024)
  const last = Math.max(...published)
  await reading.until((block) => count(block) === last)
  expect(reading.events.map(count)).toEqual(numbers(1, last))
  for (const [n, stream] of paused.entries()) {
    stream.resume()
    const isOpen = Array.from(hub.hub.subscribers()).some(({ request }) => request.selectors.join() === `own.${n}`)
    if (isOpen) await stream.until((block) => count(block) === published[n])
    else await stream.rest()
    const seen = stream.events.map(count)
    const rest = isOpen ? [] : await replay(await resume(`${hub.url}?topic=own.${n}`, stream.ids.at(-1)))
    expect([...seen, ...rest]).toEqual(numbers(1, published[n] ?? 0))
  }
})

async function openPaused(hub: TestHub, query = ''): Promise<StreamReader> {
  const stream = await openStream(hub.url + query, { patienceMs: 20_000 })
  await stream.until(CONNECTED)
  stream.pause()
  return stream
}

function states({ hub }: TestHub): string[] {
  return Array.from(hub.subscribers(), ({ state }) => state.name)
}

/** Publishes large events until it is so, and returns the number of the last. Fails when the kernel swallows 60 MB. */
async function publishUntil({ hub }: TestHub, isSo: () => boolean): Promise<number> {
  for (let n = 1; n <= 1_000; n++) {
    await hub.publish({ topic: 'a', data: { n, padding: PADDING } })
    await pause(2)
    if (isSo()) return n
  }
  throw new Error('60 MB were taken from a hub by a client that reads nothing')
}
