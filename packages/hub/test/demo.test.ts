import { createHub, memory, type Hub } from '@millrace/server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startDemo, type Demo, type DemoHub, type DemoResponse } from '../src/demo/demo.ts'
import { demoAwayMs, demoDefaults, demoTickIntervalMs } from '../src/demo/demo-settings.ts'
import type { PriceState } from '../src/demo/price-replay.ts'
import { BeatClock } from './support/beat-clock.ts'

interface Ended {
  readonly id: string
  readonly reason: string
  readonly retryMs?: number
}

let clock: BeatClock
let published: Parameters<DemoHub['publish']>[0][]
let ended: Ended[]
let demo: Demo

beforeEach(() => {
  clock = new BeatClock()
  published = []
  ended = []
  const hub: DemoHub = {
    publish: async (event) => published.push(event),
    endConnection(id, options) {
      if (id !== 'open') return false
      ended.push({ id, ...options })
      return true
    },
  }
  demo = startDemo(hub, { clock })
})

afterEach(() => demo.close())

async function call(method: string, path: string, body?: unknown): Promise<DemoResponse> {
  const route = demo.routes.find((each) => each.method === method && each.path === path)
  if (!route) throw new Error(`No route ${method} ${path}`)
  return route.handle(body)
}

test('ticks are published on the topic of their symbol', async () => {
  await clock.beat(2)
  expect(published).toEqual([
    { topic: 'stocks.MSFT', type: 'tick', data: { symbol: 'MSFT', date: '2000-01-01', price: 39.81, n: 1, lap: 1 } },
    { topic: 'stocks.AMZN', type: 'tick', data: { symbol: 'AMZN', date: '2000-01-01', price: 64.56, n: 1, lap: 1 } },
  ])
})

test('the prices as they are can be fetched', async () => {
  await clock.beat(3)
  const { status, body } = await call('GET', '/demo/prices')
  const { symbols } = body as PriceState
  expect(status).toBe(200)
  expect(symbols.map(({ symbol, recent }) => [symbol, recent.at(-1)?.price])).toEqual([
    ['MSFT', 39.81],
    ['AMZN', 64.56],
    ['IBM', 100.52],
    ['AAPL', undefined],
    ['GOOG', undefined],
  ])
})

describe('cutting a connection', () => {
  test('leaves the time away to the stream when none is asked for', async () => {
    expect(await call('POST', '/demo/cut', { connection: 'open' })).toEqual({ status: 200, body: { ended: 'open' } })
    expect(await call('POST', '/demo/cut', { connection: 'open', awayMs: 0 })).toMatchObject({ status: 200 })
    expect(ended).toEqual([
      { id: 'open', reason: 'demo' },
      { id: 'open', reason: 'demo' },
    ])
  })

  test('tells the client to stay away as long as is asked', async () => {
    expect(await call('POST', '/demo/cut', { connection: 'open', awayMs: 20_000 })).toMatchObject({ status: 200 })
    expect(ended).toEqual([{ id: 'open', reason: 'demo', retryMs: 20_000 }])
  })

  test.each([
    { body: undefined, status: 400, detail: 'The body must be' },
    { body: null, status: 400, detail: 'The body must be' },
    { body: [], status: 400, detail: 'The body must be' },
    { body: 'open', status: 400, detail: 'The body must be' },
    { body: { connection: 7 }, status: 400, detail: 'The body must be' },
    { body: { connection: 'open', awayMs: 60_000 }, status: 400, detail: 'not 60000' },
    { body: { connection: 'open', awayMs: '0' }, status: 400, detail: 'not "0"' },
    { body: { connection: 'open', away: 0 }, status: 400, detail: 'Unknown field "away"' },
    { body: { connection: 'x'.repeat(10_000) }, status: 404, detail: `"${'x'.repeat(64)}"` },
  ])('answers $status to what it cannot do: $detail', async ({ body, status, detail }) => {
    const answer = await call('POST', '/demo/cut', body)
    expect(answer).toMatchObject({ status, body: { status } })
    expect((answer.body as { detail: string }).detail).toContain(detail)
    expect(ended).toEqual([])
  })
})

describe('the settings', () => {
  let hub: Hub

  beforeEach(async () => {
    hub = createHub({ backend: memory({ topics: demoDefaults.topics }), heartbeatMs: demoDefaults.heartbeatMs })
    await hub.ready()
  })

  afterEach(() => hub.close({ drainMs: 0 }))

  /** What a client meets that has the first of so many ticks, and comes back. */
  async function comeBackAfter(ticks: number): Promise<string> {
    const first = await hub.publish({ topic: 'stocks.AAPL', data: 0 })
    for (let n = 1; n <= ticks; n++) await hub.publish({ topic: 'stocks.AAPL', data: n })
    // What is still to be delivered stays in the hot window.
    while (hub.stats().lagMs > 0) await new Promise((resolve) => setImmediate(resolve))
    for await (const next of hub.subscribe({ topics: ['stocks.AAPL'], after: first.ids[0] })) {
      return next.kind === 'gap' ? next.reason : `event ${String(next.data)}`
    }
    return 'end'
  }

  test('bring everything back after the longest time that a browser takes by itself', async () => {
    const longestMs = hub.limits.retryMs * 1.5
    expect(await comeBackAfter(Math.ceil(longestMs / demoTickIntervalMs) + 5)).toBe('event 1')
  })

  test('have the long cut end in a gap', async () => {
    const awayMs = Math.max(...demoAwayMs)
    expect(await comeBackAfter(awayMs / demoTickIntervalMs)).toBe('too_old')
  })
})
