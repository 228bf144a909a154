import { parseTopic, type Position } from '@millrace/protocol'
import { expect, test } from 'vitest'
import { Frame } from '../src/frame.ts'
import { HotWindow } from '../src/hot-window.ts'
import { FakeClock } from './support/fake-clock.ts'

const at = (seq: number, check = `c${seq % 10}x`): Position => ({ epoch: 'e', seq, check })
const frame = (seq: number): Frame =>
  new Frame({ topic: parseTopic('a'), data: 'x'.repeat(100), timeMs: 0, position: at(seq) }, 0)

function filled(count: number, maxCount: number, maxBytes = 1_000_000): HotWindow {
  const window = new HotWindow(at(0), { maxCount, maxBytes, maxAgeMs: false }, new FakeClock())
  for (let seq = 1; seq <= count; seq++) {
    window.push(frame(seq))
    window.trim(count)
  }
  return window
}

test('a window holds the newest frames and starts after the newest one that it dropped', () => {
  const window = filled(5_000, 100)
  expect([window.base.seq, window.end.seq, window.count]).toEqual([4_900, 5_000, 100])
  expect(window.frameAt(4_900)).toBeUndefined()
  expect(window.frameAt(4_901)?.seq).toBe(4_901)
  expect(window.frameAt(5_001)).toBeUndefined()
})

test('a window contains its base, its frames and nothing else', () => {
  const window = filled(20, 10)
  expect([9, 10, 15, 20, 21].map((seq) => window.contains(at(seq)))).toEqual([false, true, true, true, false])
})

test('a window does not contain a place with another check or epoch', () => {
  const window = filled(20, 10)
  expect(window.contains(at(15, 'zzz'))).toBe(false)
  expect(window.contains(at(10, 'zzz'))).toBe(false)
  expect(window.contains({ ...at(15), epoch: 'f' })).toBe(false)
})

test('bytes limit a window as well as the count', () => {
  const window = filled(50, 1_000, 10 * frame(1).heldBytes)
  expect(window.count).toBe(10)
  expect(window.heldBytes).toBe(10 * frame(1).heldBytes)
})

test('trim keeps what is still to be sent', () => {
  const window = new HotWindow(at(0), { maxCount: 2, maxBytes: 1_000_000, maxAgeMs: false }, new FakeClock())
  for (let seq = 1; seq <= 10; seq++) window.push(frame(seq))
  window.trim(4)
  expect(window.base.seq).toBe(4)
  window.trim(10)
  expect(window.base.seq).toBe(8)
})

test('a reset window is empty and goes on after its new base', () => {
  const window = filled(20, 10)
  window.reset({ epoch: 'f', seq: 3, check: 'abc' })
  expect([window.count, window.heldBytes, window.end.epoch, window.end.seq]).toEqual([0, 0, 'f', 3])
})

test('age limits a window, also while nothing comes', () => {
  const clock = new FakeClock()
  const window = new HotWindow(at(0), { maxCount: 10, maxBytes: 1_000_000, maxAgeMs: 1_000 }, clock)
  window.push(frame(1))
  window.trim(1)
  clock.advance(1_000)
  expect(window.contains(at(0))).toBe(true)
  clock.advance(1)
  expect([window.contains(at(0)), window.contains(at(1)), window.count]).toEqual([false, true, 0])
})
