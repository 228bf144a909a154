import type { PollAnswer } from '@millrace/server'
import { expect, test } from 'vitest'
import { request, startScene } from './support/hub-scene.ts'

test('a poll that waits is not woken by what is nothing for it, and goes past it all the same', async () => {
  const { clock, hub, publish, settle } = await startScene({}, [{ match: 's.*', kind: 'state' }])
  await publish('b', 0)
  const { cursor } = await hub.poll(request('a,s.1'), { waitMs: 0, wantsAllValues: false })
  const asked = { ...request('a,s.1'), lastEventId: cursor, types: ['x'], client: 'me' }
  let answer: PollAnswer | undefined
  const polling = hub.poll(asked, { waitMs: 60_000, wantsAllValues: false })
  void polling.then((value) => (answer = value))
  await settle()
  const timers = clock.timerCount
  await publish('b', 1)
  await hub.publish([
    { topic: 'a', type: 'y', data: 2 },
    { topic: 'a', type: 'x', data: 3, except: 'me' },
    { topic: 's.1', type: 'y', data: 4 },
    { topic: 's.2', type: 'x', data: 5 },
  ])
  await settle(hub.limits.flushIntervalMs)
  // It has not begun to rest, as one that was woken for nothing would have to.
  expect(clock.timerCount).toBe(timers)
  expect(answer).toBeUndefined()
  const [last] = (await hub.publish({ topic: 's.1', type: 'x', data: 6 })).ids
  await settle(hub.limits.flushIntervalMs)
  expect(answer).toMatchObject({ events: [{ data: '6' }], cursor: last })
})
