import { exponentialBackoff, type AttemptEnd, type Backoff } from '@millrace/client'
import { expect, onTestFinished, test, vi } from 'vitest'
import { feedByHttp } from '../src/event-source/feed-by-http.ts'
import type { Feed } from '../src/event-source/feed.ts'
import { settle, TestClock } from './stream/support/test-clock.ts'

/** What a request comes to: how long it takes for its head, and for how long the stream is open, if it is one. Milliseconds. */
type Answer = {
  readonly headMs: number
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly openMs?: number
}

/** When requests are made, of a source whose requests are answered in turn. */
async function requestTimes(answers: readonly Answer[], backoff?: Backoff, reconnectionTimeMs = 1_000) {
  const clock = new TestClock()
  const closing = new AbortController()
  onTestFinished(() => closing.abort())
  const ends: { end: AttemptEnd; isFinal: boolean }[] = []
  const times: number[] = []
  const feed: Feed = {
    lastEventId: '',
    reconnectionTimeMs,
    onOpen() {},
    onEvent() {},
    onEnd(end, isFinal) {
      ends.push({ end, isFinal })
      if (isFinal) closing.abort()
    },
  }
  const after = (delayMs: number): Promise<void> => new Promise((resolve) => clock.after(delayMs, resolve))
  const fetch = async (): Promise<Response> => {
    times.push(clock.now())
    const { headMs, status, headers, openMs } = answers[times.length - 1] ?? { headMs: 1e9 }
    await after(headMs)
    if (status !== undefined) return new Response('', { status, ...(headers ? { headers } : {}) })
    if (openMs === undefined) throw new TypeError('fetch failed')
    const start = (controller: ReadableStreamDefaultController): void =>
      void after(openMs).then(() => controller.close())
    return new Response(new ReadableStream({ start }), { headers: { 'content-type': 'text/event-stream' } })
  }
  const request = { url: 'http://stream.test/', fetch, method: 'GET', body: null, credentials: 'same-origin' } as const
  feedByHttp({ ...request, signal: closing.signal }, backoff, feed, clock)
  await settle()
  for (let i = 0; i < 1_000 && times.length <= answers.length && !closing.signal.aborted; i++) {
    await clock.advance(100)
  }
  return { times, ends }
}

const growing = exponentialBackoff({ chance: () => 0, retryStatuses: [429, 503] })

/** How long it was waited before each request. Milliseconds. */
function waits(times: readonly number[], answers: readonly Answer[]): number[] {
  return answers.map(({ headMs, openMs = 0 }, i) => (times[i + 1] ?? Number.NaN) - (times[i] ?? 0) - headMs - openMs)
}

test('waits grow when failures are slow too', async () => {
  const answers = Array.from({ length: 4 }, () => ({ headMs: 5_000 }))
  const { times } = await requestTimes(answers, growing)
  expect(waits(times, answers)).toEqual([1_000, 2_000, 4_000, 8_000])
})

test('waits begin anew when a connection was open for as long as the reconnection time', async () => {
  const answers = [
    { headMs: 0 },
    { headMs: 0 },
    { headMs: 5_000, openMs: 900 },
    { headMs: 0, openMs: 1_000 },
    { headMs: 0 },
  ]
  const { times } = await requestTimes(answers, growing)
  expect(waits(times, answers)).toEqual([1_000, 2_000, 4_000, 1_000, 2_000])
})

test('waits grow from the least one where the server asks for none', async () => {
  const answers = Array.from({ length: 4 }, () => ({ headMs: 0 }))
  const { times } = await requestTimes(answers, growing, 0)
  expect(waits(times, answers)).toEqual([100, 200, 400, 800])
})

test('a status that is tried again is so when its Retry-After says', async () => {
  const answers = [
    { headMs: 0, status: 503, headers: { 'retry-after': '20' } },
    {
      headMs: 0,
      status: 429,
      headers: { date: 'Thu, 01 Jan 2026 00:00:00 GMT', 'retry-after': 'Thu, 01 Jan 2026 00:00:07 GMT' },
    },
    { headMs: 0, status: 503, headers: { 'retry-after': '1' } },
    { headMs: 0, status: 503, headers: { 'retry-after': 'soon' } },
  ]
  const { times, ends } = await requestTimes(answers, growing)
  expect(waits(times, answers)).toEqual([20_000, 7_000, 4_000, 8_000])
  expect(ends.map(({ isFinal }) => isFinal)).toEqual([false, false, false, false])
})

test('a backoff that throws is an uncaught error, and the source goes on by the standard', async () => {
  const thrown: unknown[] = []
  vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => {
    void Promise.resolve()
      .then(callback)
      .catch((error: unknown) => thrown.push(error))
  })
  onTestFinished(() => void vi.restoreAllMocks())
  const error = new Error('mine')
  const backoff = (): number => {
    throw error
  }
  const { times, ends } = await requestTimes([{ headMs: 0 }, { headMs: 0, status: 404 }], backoff)
  expect(times).toEqual([0, 1_000])
  expect(ends).toMatchObject([
    { end: { kind: 'network' }, isFinal: false },
    { end: { kind: 'status' }, isFinal: true },
  ])
  expect(thrown).toEqual([error, error])
})
