import { EventSource } from '@millrace/client'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'

const EVENT = `id: 1\ndata: ${'x'.repeat(990)}\n\n`
const EVENTS_A_WRITE = 64
const MEBIBYTE = 1024 * 1024
const STREAM_BYTES = 1024 * MEBIBYTE
const WARM_BYTES = 128 * MEBIBYTE
/** What a collection may leave, on a busy machine. The stream is a hundred times as long. */
const SLACK_BYTES = 10 * MEBIBYTE

test('an EventSource reads a stream of 1 GiB in memory that does not grow', async () => {
  const writes = Buffer.from(EVENT.repeat(EVENTS_A_WRITE))
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    let left = Math.ceil(STREAM_BYTES / writes.length)
    const write = (): void => {
      while (left-- > 0) if (!response.write(writes)) return void response.once('drain', write)
      response.end()
    }
    write()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const source = new EventSource(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  onTestFinished(() => {
    source.close()
    server.closeAllConnections()
    server.close()
  })

  let bytes = 0
  let kept = ''
  let warmBytes = 0
  source.addEventListener('message', ({ data }) => {
    bytes += EVENT.length
    kept = data
    if (warmBytes === 0 && bytes >= WARM_BYTES) warmBytes = liveBytes()
  })
  await expect.poll(() => source.readyState === EventSource.CONNECTING && bytes > 0, { timeout: 170_000 }).toBe(true)
  expect(bytes).toBeGreaterThanOrEqual(STREAM_BYTES)
  expect(kept.length).toBe(990)
  // Finalizers of buffers take their time: each look collects again.
  await expect.poll(() => liveBytes() - warmBytes, { timeout: 10_000 }).toBeLessThan(SLACK_BYTES)
})

/** What JavaScript holds after a collection, its buffers included. */
function liveBytes(): number {
  if (!globalThis.gc) throw new Error('Node has to be started with --expose-gc')
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
