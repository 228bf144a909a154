import type { PollAnswer } from '@millrace/server'
import { expect, onTestFinished, test, vi } from 'vitest'
import { HotWindow } from '../src/hot-window.ts'
import { Standing } from '../src/standing.ts'
import { StateValues } from '../src/state-values.ts'
import { request, startScene } from './support/hub-scene.ts'

test('a poll that waits is not woken by what is nothing for it, and goes past it all the same', async () => {
  const { hub, publish, settle } = await startScene({}, [{ match: 's.*', kind: 'state' }])
  await publish('b', 0)
  const { cursor } = await hub.poll(request('a,s.1'), { waitMs: 0, wantsAllValues: false })
  const asked = { ...request('a,s.1'), lastEventId: cursor, types: ['x'], client: 'me' }
  let answer: PollAnswer | undefined
  const polling = hub.poll(asked, { waitMs: 60_000, wantsAllValues: false })
  void polling.then((value) => (answer = value))
  await settle()
  // Who is woken looks up values.
  const woken = vi.spyOn(StateValues.prototype, 'matching')
  const seen = vi.spyOn(HotWindow.prototype, 'frameAt')
  onTestFinished(() => [woken, seen].forEach((spy) => spy.mockRestore()))
  await publish('b', 1)
  await publish('b', 1)
  await settle(hub.limits.flushIntervalMs)
  seen.mockClear()
  await hub.publish([
    { topic: 'a', type: 'y', data: 2 },
    { topic: 'a', type: 'x', data: 3, except: 'me' },
    { topic: 's.1', type: 'y', data: 4 },
    { topic: 's.2', type: 'x', data: 5 },
  ])
  await settle(hub.limits.flushIntervalMs)
  expect(woken).not.toHaveBeenCalled()
  // What it has gone past it does not look at again: the first of those.
  expect(seen.mock.calls.filter(([seq]) => seq <= 2)).toEqual([])
  expect(answer).toBeUndefined()
  const [last] = (await hub.publish({ topic: 's.1', type: 'x', data: 6 })).ids
  await settle(hub.limits.flushIntervalMs)
  expect(answer).toMatchObject({ events: [{ data: '6' }], cursor: last })
})

test('a poll that is to wait answers with what came while values were read anew', async () => {
  const { hub, publish, settle } = await startScene({}, [{ match: 's.*', kind: 'state' }])
  await publish('s.1', 1)
  const { cursor } = await hub.poll(request('s.1'), { waitMs: 0, wantsAllValues: false })
  const known = vi.spyOn(Standing.prototype, 'isReady').mockReturnValue(false)
  onTestFinished(() => known.mockRestore())
  let answer: PollAnswer | undefined
  const asked = { ...request('s.1'), lastEventId: cursor }
  void hub.poll(asked, { waitMs: 60_000, wantsAllValues: false }).then((value) => (answer = value))
  await settle()
  await publish('s.1', 2)
  await settle(hub.limits.flushIntervalMs)
  known.mockRestore()
  await publish('b', 3)
  await settle(hub.limits.flushIntervalMs)
  expect(answer).toMatchObject({ events: [{ data: '2' }] })
})
