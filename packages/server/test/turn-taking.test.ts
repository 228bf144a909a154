import { parseTopic } from '@millrace/protocol'
import { createHub, memory } from '@millrace/server'
import { expect, onTestFinished, test } from 'vitest'

test.each([
  ['one by one', 1],
  ['a thousand at once', 1_000],
])('a loop that publishes %s lets the event loop turn as often as one with as many events', async (_how, size) => {
  const hub = createHub({ backend: memory() })
  onTestFinished(() => hub.close({ drainMs: 0 }))
  await hub.ready()
  const events = Array.from({ length: size }, () => ({ topic: 'a', data: 1 }))
  let turns = 0
  let isDone = false
  const turn = (): void => {
    turns++
    if (!isDone) setImmediate(turn)
  }
  setImmediate(turn)
  for (let left = 50_000; left > 0; left -= size) await hub.publish(events)
  isDone = true
  expect(turns).toBeGreaterThanOrEqual(size === 1 ? 150 : 45)
})

test('a hub that reads many values from memory lets the event loop turn in between', async () => {
  const backend = memory({ topics: [{ match: 'state.>', kind: 'state' }] })
  const keys = Array.from({ length: 20_000 }, (_, i) => ({ topic: parseTopic('state.a'), key: `k${i}`, data: '1' }))
  await backend.log.append(keys)
  let turns = 0
  const hub = createHub({ backend })
  onTestFinished(() => hub.close({ drainMs: 0 }))
  const turn = (): void => {
    turns++
    if (!hub.stats().isFollowing) setImmediate(turn)
  }
  setImmediate(turn)
  await hub.ready()
  expect(turns).toBeGreaterThanOrEqual(15)
})
