import { expect, test } from 'vitest'
import { startScene } from './support/hub-scene.ts'

test('[MR-CTL-8] close says farewell to every stream, each with its own retry, and then closes the log', async () => {
  const { hub, open, clock, settle } = await startScene({ retryMs: 3_000 })
  const streams = await Promise.all(Array.from({ length: 3 }, () => open('a')))
  const closed = hub.close()
  await settle(100)
  for (const { transport } of streams) transport.settle()
  await closed
  for (const { transport, types } of streams) {
    expect(types().at(-1)).toBe('stream:shutdown')
    expect(transport.text).toMatch(/\nretry: \d+\n\nevent: stream:shutdown\n[^\n]+\n\n$/)
    expect(transport.isOpen).toBe(false)
  }
  await expect(hub.publish({ topic: 'a', data: 1 })).rejects.toMatchObject({ code: 'closed' })
  expect(clock.timerCount).toBe(0)
  await hub.close()
})

test('[MR-CTL-8] many streams are ended in waves over drainMs, and stay live until their wave', async () => {
  const { hub, open, publish, settle } = await startScene()
  const streams = await Promise.all(Array.from({ length: 250 }, () => open('a')))
  const closed = hub.close({ drainMs: 10_000 })
  await settle()
  const openAfter = (): number => streams.filter(({ transport }) => transport.isOpen).length
  expect(openAfter()).toBe(150)
  await expect(publish('a', 1)).rejects.toMatchObject({ code: 'closed' })
  await settle(100)
  expect(openAfter()).toBe(50)
  await settle(100)
  expect(openAfter()).toBe(0)
  for (const { transport } of streams) transport.settle()
  await closed
})

test('[MR-HTTP-7] a hub that is closing refuses new streams for a while, in a form that any client understands', async () => {
  const { hub, open } = await startScene()
  const { transport } = await open('a')
  const closed = hub.close()
  const admission = await hub.admit({
    selectors: [],
    types: [],
    from: 'now',
    lastEventId: undefined,
    nameBy: 'type',
    envelope: false,
  })
  expect(admission).toMatchObject({ kind: 'refused', reason: 'draining' })
  const body = admission.kind === 'refused' ? admission.body : ''
  expect(body).toMatch(/^retry: \d+\n\nevent: stream:reconnect\ndata: \{"reason":"draining"\}\n\n$/)
  transport.settle()
  await closed
})

test('endConnection ends one stream and leaves the others', async () => {
  const { hub, open } = await startScene()
  const [one, two] = [await open('a'), await open('a')]
  const [first] = [...hub.subscribers()]
  expect(hub.endConnection(first?.connection ?? '', { retryMs: 7_000 })).toBe(true)
  expect(one.transport.text).toMatch(/retry: 7000\n\n$/)
  expect([one.transport.isOpen, two.transport.isOpen]).toEqual([false, true])
  expect(hub.endConnection('nobody')).toBe(false)
})

test('after everybody has left no index entry, timer or waiting catch-up remains', async () => {
  const { hub, clock, open, publish } = await startScene({ maxBufferBytes: 1_024 })
  const ids = await publish('a.b', 1, 2, 3)
  const streams = [
    await open('a.b'),
    await open('a.*', { lastEventId: ids[0] }),
    await open('>', { from: 'earliest' }),
    await open('x'),
  ]
  for (const stream of streams) stream.transport.isStalled = true
  await publish('a.b', ...Array.from({ length: 50 }, (_, i) => i))
  for (const stream of streams) stream.transport.destroy()
  for (const stream of streams) stream.transport.settle()
  await publish('a.b', 4)
  expect(hub.stats()).toMatchObject({
    subscribers: 0,
    audiences: 0,
    indexEntries: 0,
    pendingCatchUps: 0,
    pendingReads: 0,
  })
  // What is left is the log's own look at the age of its events.
  expect(clock.timerCount).toBeLessThanOrEqual(1)
})
