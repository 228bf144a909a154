import { ClientError } from '@millrace/client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CommandFailure } from '../src/command/command-failure.ts'
import { Patience } from '../src/command/patience.ts'
import type { PostFailure } from '../src/command/post-events.ts'

const said = vi.spyOn(process.stderr, 'write')

beforeEach(() => void said.mockReset().mockReturnValue(true))
afterEach(() => void said.mockReset())

const failed = (error: ClientError, flags: Partial<PostFailure> = {}): PostFailure => ({
  error,
  isUnreached: false,
  isRefused: false,
  ...flags,
})
const cut = failed(new ClientError('network', 'It was cut.'))
const unreached = failed(new ClientError('network', 'Nobody listens.'), { isUnreached: true })
const refused = (status: number, retryAfterMs?: number): PostFailure =>
  failed(new ClientError('status', 'No.', { status, retryAfterMs }), { isRefused: status < 500 })

/** How long it waits each time, until it gives up. */
async function delaysOf(
  failure: PostFailure,
  { isSafe = true, before = [] as readonly PostFailure[] } = {},
): Promise<{
  readonly delaysMs: readonly number[]
  readonly end: unknown
}> {
  let nowMs = 0
  let delaysMs: number[] = []
  const patience = new Patience({
    nowMs: () => nowMs,
    async wait(delayMs) {
      delaysMs.push(delayMs)
      nowMs += delayMs
    },
  })
  for (const each of before) await patience.wait(each, true)
  if (before.length > 0) patience.onProgress()
  delaysMs = []
  for (let i = 0; i < 1_000; i++) {
    const end: unknown = await patience.wait(failure, isSafe).catch((error: unknown) => error)
    if (end !== undefined) return { delaysMs, end }
  }
  throw new Error('It never gives up')
}

test('what is cut is tried five times more, with a back-off that is bounded', async () => {
  const { delaysMs, end } = await delaysOf(cut)
  expect(delaysMs).toHaveLength(5)
  for (const delayMs of delaysMs) expect(delayMs).toBeGreaterThanOrEqual(500)
  for (const delayMs of delaysMs) expect(delayMs).toBeLessThanOrEqual(10_500)
  expect(end).toEqual(new CommandFailure('It was cut.'))
  expect(said.mock.calls.map(([text]) => text)).toEqual(
    delaysMs.map((delayMs) => `millrace: It was cut. Trying again in ${(delayMs / 1000).toFixed(1)} s.\n`),
  )
})

test('after progress it has all its patience again', async () => {
  expect((await delaysOf(cut, { before: [cut, cut, cut, cut] })).delaysMs).toHaveLength(5)
})

test('what may be stored, and must not be sent twice, is not tried again', async () => {
  expect((await delaysOf(cut, { isSafe: false })).delaysMs).toEqual([])
  expect((await delaysOf(refused(503), { isSafe: false })).delaysMs).toEqual([])
  // What was refused is stored nowhere.
  expect((await delaysOf(refused(429, 1_000), { isSafe: false })).delaysMs.length).toBeGreaterThan(5)
})

test('nobody at the first address is told at once, but waited for once a hub was there', async () => {
  const { delaysMs, end } = await delaysOf(unreached)
  expect(delaysMs).toEqual([])
  expect(String(end)).toContain('Nobody listens. Start a hub with "millrace serve"')
  expect((await delaysOf(unreached, { before: [cut] })).delaysMs).toHaveLength(5)
})

test('a hub that says "later" is waited for, not longer than five minutes, and no sooner than it says', async () => {
  const { delaysMs } = await delaysOf(refused(429, 1_000))
  const sumMs = delaysMs.reduce((sum, delayMs) => sum + delayMs, 0)
  expect(sumMs).toBeGreaterThan(250_000)
  expect(sumMs).toBeLessThanOrEqual(300_000)
  expect(Math.min(...delaysMs)).toBeGreaterThanOrEqual(1_000)
})

test.each([400, 413, 415, 404, 429])('a %i without Retry-After is final', async (status) => {
  expect((await delaysOf(refused(status))).delaysMs).toEqual([])
})

test('a 429 that asks for a minute is one that only an operator can mend', async () => {
  expect((await delaysOf(refused(429, 60_000))).delaysMs).toEqual([])
})

test.each([408, 500, 502, 503, 504])('a %i is tried again', async (status) => {
  expect((await delaysOf(refused(status))).delaysMs).toHaveLength(5)
})
