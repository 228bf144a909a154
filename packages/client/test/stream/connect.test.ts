import { expect, test } from 'vitest'
import { openScene } from './support/scene.ts'
import { settle } from './support/test-clock.ts'

test('an event arrives with its topic, type, id and data', async () => {
  const { hub, events } = await openScene({ topics: ['stocks.*'] })
  hub.publish('stocks.AAPL', { price: 187.2 }, 'tick')
  hub.publish('news', 'x')
  await settle()
  expect(events).toEqual([{ type: 'tick', topic: 'stocks.AAPL', id: 'e1-1-abc', data: { price: 187.2 } }])
})

test('a stream that breaks resumes from its last id, after the floor and a tenth of chance', async () => {
  const { clock, hub, data, statuses } = await openScene()
  hub.publish('a', 1)
  await settle()
  hub.cutStreams()
  hub.publish('a', 2)
  await settle()
  expect(statuses.at(-1)).toMatchObject({ name: 'waiting', attempt: 1, delayMs: 2100 })
  await clock.advance(2100)
  expect(data()).toEqual([1, 2])
  expect(hub.requests.map(({ headers }) => headers.get('last-event-id'))).toEqual([null, 'e1-1-abc'])
  expect(hub.requests[1]?.atMs).toBe(2100)
})

test('for await hands on what comes, and ends when the stream is closed', async () => {
  const { hub, stream } = await openScene({}, { listen: false })
  const seen: unknown[] = []
  const loop = (async () => {
    for await (const { data } of stream) seen.push(data)
  })()
  hub.publish('a', 1)
  hub.publish('a', 'text')
  await settle()
  stream.close()
  await loop
  expect(seen).toEqual([1, 'text'])
})
