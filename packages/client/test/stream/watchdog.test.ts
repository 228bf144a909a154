import { expect, test } from 'vitest'
import { Watchdog } from '../../src/stream/watchdog.ts'
import { TestClock } from './support/test-clock.ts'

function scene() {
  const clock = new TestClock()
  const alarms: number[] = []
  const watchdog = new Watchdog(clock, () => alarms.push(clock.now()))
  return { clock, alarms, watchdog }
}

test('silence for longer than the limit is noticed, counted from the last byte', async () => {
  const { clock, alarms, watchdog } = scene()
  watchdog.watch(10_000)
  await clock.advance(9_000)
  watchdog.hear()
  await clock.advance(9_999)
  expect(alarms).toEqual([])
  await clock.advance(1)
  expect(alarms).toEqual([19_000])
  expect(clock.timerCount).toBe(0)
})

test('bytes cost no timer', async () => {
  const { clock, watchdog } = scene()
  watchdog.watch(10_000)
  for (let i = 0; i < 1_000; i++) watchdog.hear()
  expect(clock.timerCount).toBe(1)
})

test('after sleep the bytes that wait are heard first', async () => {
  const { clock, alarms, watchdog } = scene()
  watchdog.watch(10_000)
  clock.sleep(3_600_000)
  // The timer fires first, late; the bytes that have come meanwhile are read a moment later.
  await clock.advance(0)
  watchdog.hear()
  await clock.advance(9_999)
  expect(alarms).toEqual([])
})

test('after sleep a dead connection is noticed within seconds', async () => {
  const { clock, alarms, watchdog } = scene()
  watchdog.watch(10_000)
  clock.sleep(3_600_000)
  await clock.advance(2_000)
  expect(alarms).toEqual([3_602_000])
})

test('where timers are always late, a dead connection is noticed after two graces', async () => {
  const { clock, alarms, watchdog } = scene()
  watchdog.watch(10_000)
  // A hidden tab: timers run once a minute.
  for (let minute = 1; minute <= 3; minute++) {
    expect(alarms).toEqual([])
    clock.sleep(60_000)
    await clock.advance(0)
  }
  expect(alarms).toEqual([180_000])
})

test('it rests when told to, and starts afresh', async () => {
  const { clock, alarms, watchdog } = scene()
  watchdog.watch(10_000)
  watchdog.watch(false)
  expect(clock.timerCount).toBe(0)
  await clock.advance(60_000)
  watchdog.watch(10_000)
  await clock.advance(9_999)
  expect(alarms).toEqual([])
  await clock.advance(1)
  expect(alarms).toEqual([70_000])
})
