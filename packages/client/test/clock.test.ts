import { expect, test } from 'vitest'
import { makeAlarm, MAX_DELAY_MS } from '../src/clock.ts'

test('an alarm waits no longer than a timer can: one of more than that would go off at once', () => {
  const delays: number[] = []
  const alarm = makeAlarm({ now: () => 0, after: (delayMs) => (delays.push(delayMs), () => {}) })
  for (const delayMs of [5, MAX_DELAY_MS, MAX_DELAY_MS * 1.1, Infinity]) alarm(delayMs)
  expect(delays).toEqual([5, MAX_DELAY_MS, MAX_DELAY_MS, MAX_DELAY_MS])
})
