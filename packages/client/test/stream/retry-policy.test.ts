import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ClientError, type ClientErrorCode } from '../../src/client-error.ts'
import { retryPolicy, type RetryOptions, type RetryState } from '../../src/stream/retry-policy.ts'

const OPTIONS: RetryOptions = { maxBackoffMs: 30_000, maxAttempts: false, giveUpAfterMs: false }
const STATE: RetryState = { failures: 1, failingMs: 0, floorMs: 2_000, wasGood: true, canRenew: false }
const network = new ClientError('network', 'gone')

function decide(
  error: ClientError,
  state: Partial<RetryState> = {},
  options: Partial<RetryOptions> = {},
  chance = 0.5,
) {
  return retryPolicy({ ...OPTIONS, ...options }, () => chance)(error, { ...STATE, ...state })
}

const status = (code: number, retryAfterMs?: number): ClientError =>
  new ClientError('status', 'refused', { status: code, retryAfterMs })

test('the delay is the floor and chance on top, up to 1, 2, 4, … seconds and never more than maxBackoffMs', () => {
  const most = [1, 2, 3, 4, 5, 6, 7, 60].map((failures) => decide(network, { failures }, {}, 1))
  expect(most.map((one) => 'delayMs' in one && one.delayMs)).toEqual(
    [1, 2, 4, 8, 16, 30, 30, 30].map((seconds) => 2_000 + seconds * 1_000),
  )
  expect(decide(network, { failures: 9 }, {}, 0)).toEqual({ delayMs: 2_000, soonestMs: 2_000 })
})

test('after a good connection chance is at most a tenth of the floor', () => {
  expect(decide(new ClientError('ended', ''), { failures: 0 }, {}, 1)).toEqual({ delayMs: 2_200, soonestMs: 2_000 })
})

test('Retry-After is a floor for this once, and is not cut short', () => {
  expect(decide(status(503, 7_000), {}, {}, 0.5)).toEqual({ delayMs: 7_500, soonestMs: 7_000 })
  expect(decide(status(429, 10), {}, {}, 0)).toEqual({ delayMs: 2_000, soonestMs: 2_000 })
  expect(decide(status(503, 1e12), {}, {}, 0)).toEqual({ delayMs: 2 ** 31 - 1, soonestMs: 2 ** 31 - 1 })
})

describe('what passes and what does not', () => {
  test.each([408, 425, 429, 500, 502, 503, 504])('%i is tried again', (code) => {
    expect(decide(status(code))).toHaveProperty('delayMs')
  })
  test.each([201, 206, 301, 400, 403, 404, 405, 410, 451])('%i is an answer', (code) => {
    expect(decide(status(code))).toHaveProperty('giveUp')
  })
  test.each<ClientErrorCode>(['network', 'timeout', 'silent', 'ended', 'unreadable', 'authorize', 'held_back'])(
    '%s is tried again',
    (code) => expect(decide(new ClientError(code, ''))).toHaveProperty('delayMs'),
  )
  test('a response that is no stream is an answer, unless there was a stream before', () => {
    expect(decide(new ClientError('content_type', ''), { wasGood: false })).toHaveProperty('giveUp')
    expect(decide(new ClientError('content_type', ''), { wasGood: true })).toHaveProperty('delayMs')
  })
  test('refused credentials are renewed once, soon, where they can be', () => {
    for (const error of [status(401), new ClientError('unauthorized', '')]) {
      expect(decide(error, { canRenew: false })).toHaveProperty('giveUp')
      expect(decide(error, { canRenew: true })).toEqual({ delayMs: 150, soonestMs: 100 })
      // Where something has failed before, as in a loop of such refusals, with the usual wait.
      expect(decide(error, { canRenew: true, failures: 2 })).toEqual({ delayMs: 3_000, soonestMs: 2_000 })
    }
  })
})

test('it gives up when as many attempts have failed as may', () => {
  expect(decide(network, { failures: 2 }, { maxAttempts: 3 })).toHaveProperty('delayMs')
  expect(decide(network, { failures: 3 }, { maxAttempts: 3 })).toEqual({ giveUp: '3 attempts failed' })
})

test('it gives up when the next attempt would be past the time that there is', () => {
  expect(decide(network, { failingMs: 7_000 }, { giveUpAfterMs: 10_000 })).toHaveProperty('delayMs')
  expect(decide(network, { failingMs: 8_000 }, { giveUpAfterMs: 10_000 })).toEqual({
    giveUp: 'no connection for 10500 ms by the next attempt',
  })
})

test('it does not give up before it has tried once after a good connection, however long that has to wait', () => {
  const ended = new ClientError('ended', '')
  const state = { failures: 0, floorMs: 60_000 }
  expect(decide(ended, state, { giveUpAfterMs: 30_000 })).toEqual({ delayMs: 63_000, soonestMs: 60_000 })
  expect(decide(ended, { ...state, failures: 1 }, { giveUpAfterMs: 30_000 })).toHaveProperty('giveUp')
})

test('no error and no state gives a delay below 100 ms or above what a timer holds', () => {
  const codes = fc.constantFrom<ClientErrorCode>('network', 'status', 'held_back', 'ended', 'unauthorized', 'silent')
  const natural = fc.integer({ min: 0, max: 2 ** 40 })
  fc.assert(
    fc.property(
      codes,
      fc.option(fc.integer({ min: 100, max: 599 }), { nil: undefined }),
      fc.option(natural, { nil: undefined }),
      fc.record({
        failures: fc.integer({ min: 0, max: 5_000 }),
        failingMs: natural,
        floorMs: natural,
        wasGood: fc.boolean(),
        canRenew: fc.boolean(),
      }),
      fc.double({ min: 0, max: 0.999_999, noNaN: true }),
      (code, statusCode, retryAfterMs, state, chance) => {
        const decision = retryPolicy(OPTIONS, () => chance)(
          new ClientError(code, '', { status: statusCode, retryAfterMs }),
          state,
        )
        if ('giveUp' in decision) return
        expect(decision.delayMs).toBeGreaterThanOrEqual(100)
        expect(decision.delayMs).toBeLessThanOrEqual(2 ** 31 - 1)
        expect(decision.soonestMs).toBeGreaterThanOrEqual(100)
        expect(decision.soonestMs).toBeLessThanOrEqual(decision.delayMs)
      },
    ),
    { seed: 11, numRuns: 2_000 },
  )
})
