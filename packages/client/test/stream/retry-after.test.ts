import { expect, test } from 'vitest'
import { retryAfterMs } from '../../src/stream/retry-after.ts'

const NOW_MS = Date.parse('2026-03-01T12:00:00Z')
const read = (headers: Record<string, string>): number | undefined => retryAfterMs(new Headers(headers), NOW_MS)

test('seconds are read as they are', () => {
  expect(read({ 'retry-after': '120' })).toBe(120_000)
  expect(read({ 'retry-after': '0' })).toBe(0)
})

test('a date is counted from the date of the response, or from here', () => {
  const at = 'Sun, 01 Mar 2026 12:00:30 GMT'
  expect(read({ 'retry-after': at })).toBe(30_000)
  expect(read({ 'retry-after': at, date: 'Sun, 01 Mar 2026 12:00:10 GMT' })).toBe(20_000)
  expect(read({ 'retry-after': at, date: 'nonsense' })).toBe(30_000)
})

test('nobody is asked to stay away for more than an hour', () => {
  for (const text of ['3601', '99999999999', '9'.repeat(400), 'Sun, 01 Mar 2030 12:00:00 GMT']) {
    expect(read({ 'retry-after': text })).toBe(3_600_000)
  }
})

test('a date that is past and what cannot be read say nothing', () => {
  expect(read({ 'retry-after': 'Sun, 01 Mar 2026 11:59:30 GMT' })).toBeUndefined()
  for (const text of ['', 'soon', '-5x', '1.5e3x']) expect(read({ 'retry-after': text })).toBeUndefined()
  expect(read({})).toBeUndefined()
})
