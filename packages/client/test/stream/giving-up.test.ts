import { expect, test } from 'vitest'
import { openScene } from './support/scene.ts'
import { settle } from './support/test-clock.ts'

test('a budget of attempts ends in a clear state', async () => {
  const { clock, stream, hub } = await openScene(
    { maxAttempts: 3 },
    { prepare: (one) => (one.faultOf = () => ({ kind: 'network' })) },
  )
  await clock.until(() => stream.status.name === 'failed')
  expect(hub.requests).toHaveLength(3)
  expect(stream.status).toMatchObject({ error: { message: expect.stringContaining('Given up: 3 attempts failed') } })
})

test('a budget of time ends in a clear state', async () => {
  const { clock, stream } = await openScene(
    { giveUpAfterMs: 60_000 },
    { prepare: (one) => (one.faultOf = () => ({ kind: 'network' })) },
  )
  await clock.until(() => stream.status.name === 'failed')
  expect(clock.now()).toBeGreaterThan(20_000)
  expect(clock.now()).toBeLessThanOrEqual(60_000)
})

test('a budget of time is not used up by the wait that the server asks for after a good connection', async () => {
  const { clock, hub, stream } = await openScene(
    { giveUpAfterMs: 30_000 },
    { prepare: (one) => void (one.retryMs = 60_000) },
  )
  hub.publish('a', 1)
  await settle()
  hub.endStreams()
  await settle()
  expect(stream.status).toMatchObject({ name: 'waiting', delayMs: 63_000 })
  hub.faultOf = () => ({ kind: 'network' })
  await clock.until(() => stream.status.name === 'failed')
  expect(hub.requests).toHaveLength(2)
})

test('an open connection uses up no budget of time, also one that is too short to be good', async () => {
  let finish = (): void => {}
  const { clock, hub, stream } = await openScene({
    giveUpAfterMs: 6_000,
    lastId: 'nonsense',
    onSync: () => new Promise<void>((resolve) => (finish = resolve)),
  })
  await clock.advance(4_900)
  hub.cutStreams()
  finish()
  await settle()
  // It was open for too short to be good, and brought nothing.
  expect(stream.diagnostics().failures).toBe(1)
  expect(stream.status).toMatchObject({ name: 'waiting', delayMs: 2_500 })
})

test('a budget of time is not used up while nothing is asked for because of a slow reader', async () => {
  const { clock, hub, stream } = await openScene(
    { giveUpAfterMs: 10_000, maxQueueCount: 2, topics: ['a'], transport: 'polling', lastId: 'e1-0-abc' },
    { listen: false, prepare: (one) => [1, 2, 3].forEach((n) => one.publish('a', n)) },
  )
  await clock.advance(3_600_000)
  expect(hub.requests).toHaveLength(1)
  hub.faultOf = () => ({ kind: 'network' })
  stream.on('*', () => {})
  await settle()
  expect(hub.requests).toHaveLength(2)
  expect(stream.status.name).toBe('waiting')
})

test('a stream that is tried between polls, and fails, uses up no budget of time', async () => {
  const { clock, hub, stream } = await openScene(
    { giveUpAfterMs: 120_000 },
    { prepare: (one) => (one.faultOf = ({ transport }) => (transport === 'stream' ? { kind: 'hold' } : undefined)) },
  )
  await clock.until(() => stream.status.name === 'open')
  hub.faultOf = ({ transport }) => (transport === 'stream' ? { kind: 'network' } : undefined)
  await clock.advance(600_000)
  expect(stream.status).toEqual({ name: 'open', transport: 'long-polling' })
})

test('a server that accepts and ends at once is given up within the budget of time', async () => {
  const headers = { 'content-type': 'text/event-stream' }
  const { clock, stream, statuses } = await openScene(
    { giveUpAfterMs: 60_000 },
    { prepare: (one) => (one.faultOf = () => ({ kind: 'answer', status: 200, headers, body: ': hi\n\n' })) },
  )
  await clock.until(() => stream.status.name === 'failed')
  expect(statuses.map(({ name }) => name)).toContain('open')
  expect(clock.now()).toBeLessThanOrEqual(60_000)
})
