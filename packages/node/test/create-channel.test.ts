import { createChannel, type Channel } from '@millrace/node'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { openStream } from './support/open-stream.ts'

const running: { channel: Channel; server: Server }[] = []

async function serve(channel: Channel): Promise<string> {
  const server = createServer((request, response) => void channel.subscribe(request, response))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  running.push({ channel, server })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

afterEach(async () => {
  for (const { channel, server } of running.splice(0)) {
    await channel.close()
    server.closeAllConnections()
    server.close()
  }
})

test('broadcast reaches everybody who is here, and says how many that are', async () => {
  const channel = createChannel()
  const url = await serve(channel)
  expect(channel.broadcast({ data: 'nobody' })).toBe(0)
  const streams = await Promise.all([openStream(url), openStream(url)])
  await Promise.all(streams.map((stream) => stream.next('stream:connected')))
  expect(channel.size).toBe(2)
  expect(channel.broadcast({ type: 'notification', data: { message: 'hi' } })).toBe(2)
  for (const stream of streams) expect((await stream.next('notification')).data).toBe('{"message":"hi"}')
})

test('with a history, who comes back gets what was missed', async () => {
  const channel = createChannel({ historyCount: 100 })
  const url = await serve(channel)
  const first = await openStream(url)
  channel.broadcast({ type: 'one', data: 1 })
  const { lastEventId } = await first.next('one')
  first.close()
  await expect.poll(() => channel.size).toBe(0)
  channel.broadcast({ type: 'two', data: 2 })
  const second = await openStream(url, { 'Last-Event-ID': lastEventId })
  expect((await second.next('two')).data).toBe('2')
})

test('who missed more than the history holds is told', async () => {
  const channel = createChannel({ historyCount: 2 })
  const url = await serve(channel)
  const first = await openStream(url)
  channel.broadcast({ type: 'one', data: 1 })
  const { lastEventId } = await first.next('one')
  for (let n = 0; n < 4; n++) channel.broadcast({ data: n })
  channel.broadcast({ type: 'last', data: 0 })
  await first.next('last')
  const second = await openStream(url, { 'Last-Event-ID': lastEventId })
  expect(JSON.parse((await second.next('stream:sync-required')).data)).toMatchObject({
    reason: 'too_old',
    from: lastEventId,
  })
})

test('what cannot be sent is refused at once', async () => {
  const channel = createChannel()
  await serve(channel)
  expect(() => channel.broadcast({ type: 'stream:x', data: 1 })).toThrow(
    expect.objectContaining({ code: 'invalid_event' }),
  )
  expect(() => channel.broadcast({ data: 'x'.repeat(70_000) })).toThrow(expect.objectContaining({ code: 'too_large' }))
  await channel.close()
  expect(() => channel.broadcast({ data: 1 })).toThrow(expect.objectContaining({ code: 'closed' }))
})

test.each([0, 1.5, 1_000_001, '5' as unknown as number])('a history of %j is refused', (historyCount) => {
  expect(() => createChannel({ historyCount })).toThrow(
    expect.objectContaining({ code: 'invalid_option', message: expect.stringMatching(/^historyCount is .*1000000/) }),
  )
})
