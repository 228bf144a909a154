import { createHub, LogError, memory, type EventLog } from '@millrace/server'
import { expect, onTestFinished, test } from 'vitest'
import { FakeClock } from './support/fake-clock.ts'
import { request } from './support/hub-scene.ts'

const wholeLog = { ...request('a'), from: 'earliest' } as const

test('what ails the log is told once a minute, and what a caller did wrong is not', async () => {
  const backend = memory()
  const { log } = backend
  let fault: LogError | undefined
  const guard =
    <Args extends readonly unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      fault ? Promise.reject(fault) : call(...args)
  const failing: EventLog = {
    guarantees: log.guarantees,
    append: guard((...given: Parameters<EventLog['append']>) => log.append(...given)),
    read: guard((query: Parameters<EventLog['read']>[0]) => log.read(query)),
    snapshot: guard((...given: Parameters<EventLog['snapshot']>) => log.snapshot(...given)),
    recent: guard((limits: Parameters<EventLog['recent']>[0]) => log.recent(limits)),
    bounds: guard(() => log.bounds()),
    tail: (...given) => log.tail(...given),
    close: () => log.close(),
  }
  const told: string[] = []
  const clock = new FakeClock()
  const hub = createHub({
    backend: { ...backend, log: failing },
    clock,
    onError: (error, context) => told.push(`${context}: ${(error as Error).message}`),
  })
  onTestFinished(() => hub.close({ drainMs: 0 }))
  await hub.ready()
  const fails = async (code: string): Promise<void> => {
    await expect(hub.publish({ topic: 'a', data: 1 })).rejects.toMatchObject({ code })
  }
  fault = new LogError('unavailable', 'The disk is full.')
  for (let i = 0; i < 3; i++) await fails('unavailable')
  expect(told).toEqual(['storing events: The disk is full.'])
  fault = new LogError('unavailable', 'The file is gone.')
  await fails('unavailable')
  fault = new LogError('full', 'There are too many keys.')
  await fails('too_many')
  expect(told.slice(1)).toEqual(['storing events: The file is gone.'])
  // There was room for one event, and then there was not: that is no news.
  fault = undefined
  await hub.publish({ topic: 'a', data: 1 })
  fault = new LogError('unavailable', 'The disk is full.')
  await fails('unavailable')
  expect(told).toHaveLength(2)
  clock.advance(60_000)
  await fails('unavailable')
  await expect(hub.poll(wholeLog, { waitMs: 0, wantsAllValues: false })).rejects.toMatchObject({
    code: 'unavailable',
  })
  // The same ailment, found at something else.
  expect(told.slice(2)).toEqual(['storing events: The disk is full.'])
  fault = new LogError('unavailable', 'A page is damaged.')
  await expect(hub.poll(wholeLog, { waitMs: 0, wantsAllValues: false })).rejects.toMatchObject({
    code: 'unavailable',
  })
  expect(told.slice(3)).toEqual(['reading the event log: A page is damaged.'])
})
