import { expect, test } from 'vitest'
import { exponentialBackoff, type AttemptEnd, type ExponentialBackoffOptions } from '@millrace/client'

const LOST: AttemptEnd = { kind: 'ended' }

function waits(options: ExponentialBackoffOptions, counts: readonly number[], reconnectionTimeMs = 1000) {
  const backoff = exponentialBackoff({ chance: () => 0, ...options })
  return counts.map((failureCount) => backoff({ end: LOST, isFinal: false, failureCount, reconnectionTimeMs }))
}

test('waits double from the reconnection time up to the most', () => {
  expect(waits({}, [0, 1, 2, 3, 4, 5, 6, 2000])).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
})

test('waits never fall below the reconnection time, whatever the most is', () => {
  expect(waits({ maxDelayMs: 10 }, [0, 1, 9])).toEqual([1000, 1000, 1000])
})

test('chance only adds, and a tenth at most to the first wait', () => {
  expect(waits({ chance: () => 1 }, [0, 1])).toEqual([1100, 3000])
})

test('Retry-After is waited for, and chance adds what it adds without', () => {
  const backoff = exponentialBackoff({ retryStatuses: [503], chance: () => 1 })
  const facts = { isFinal: true, failureCount: 1, reconnectionTimeMs: 500 }
  const wait = (headers: Record<string, string>): number | false =>
    backoff({ ...facts, end: { kind: 'status', status: 503, headers: new Headers(headers) } })
  expect(wait({ 'retry-after': '120' })).toBe(120_500)
  const date = 'Thu, 01 Jan 2026 00:00:00 GMT'
  expect(wait({ date, 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' })).toBe(60_500)
  expect(wait({})).toBe(1_500)
  expect(wait({ 'retry-after': 'soon' })).toBe(1_500)
  expect(
    backoff({ ...facts, end: { kind: 'status', status: 404, headers: new Headers({ 'retry-after': '1' }) } }),
  ).toBe(false)
})

test('what is final stays so, but for the statuses that were named', () => {
  const backoff = exponentialBackoff({ retryStatuses: [503], chance: () => 0 })
  const facts = { isFinal: true, failureCount: 0, reconnectionTimeMs: 500 }
  const status = (code: number): AttemptEnd => ({ kind: 'status', status: code, headers: new Headers() })
  expect(backoff({ ...facts, end: status(503) })).toBe(500)
  expect(backoff({ ...facts, end: status(404) })).toBe(false)
  expect(backoff({ ...facts, end: { kind: 'content_type', contentType: null } })).toBe(false)
})
