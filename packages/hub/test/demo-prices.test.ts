import { describe, expect, test } from 'vitest'
import { startPriceReplay, type PricePoint, type PriceReplay, type PriceTick } from '../src/demo/price-replay.ts'
import { parseStockPrices, readStockPrices } from '../src/demo/stock-prices.ts'
import { BeatClock } from './support/beat-clock.ts'

const points: readonly PricePoint[] = [
  { symbol: 'A', date: '2000-01-01', price: 1 },
  { symbol: 'B', date: '2000-01-01', price: 10 },
  { symbol: 'A', date: '2000-02-01', price: 2 },
]

function replayOf(
  publish: (tick: PriceTick) => Promise<unknown>,
  recentCount = 10,
): { clock: BeatClock; replay: PriceReplay } {
  const clock = new BeatClock()
  return { clock, replay: startPriceReplay({ points, publish, clock, intervalMs: 200, recentCount }) }
}

describe('the replay of prices', () => {
  test('publishes one tick a beat, starts again at the end, and counts on', async () => {
    const ticks: PriceTick[] = []
    const { clock } = replayOf(async (tick) => ticks.push(tick))
    expect(clock.waitingMs).toBe(200)
    await clock.beat(5)
    expect(ticks).toEqual([
      { symbol: 'A', date: '2000-01-01', price: 1, n: 1, lap: 1 },
      { symbol: 'B', date: '2000-01-01', price: 10, n: 1, lap: 1 },
      { symbol: 'A', date: '2000-02-01', price: 2, n: 2, lap: 1 },
      { symbol: 'A', date: '2000-01-01', price: 1, n: 3, lap: 2 },
      { symbol: 'B', date: '2000-01-01', price: 10, n: 2, lap: 2 },
    ])
  })

  test('tries a tick that was refused again, before any other', async () => {
    const published: PriceTick[] = []
    let refusals = 2
    const { clock } = replayOf(async (tick) => {
      if (published.length === 1 && refusals-- > 0) throw new Error('the log is away')
      published.push(tick)
    })
    await clock.beat(5)
    expect(published.map(({ symbol, n }) => `${symbol}${n}`)).toEqual(['A1', 'B1', 'A2'])
  })

  test('waits for one tick to be published before the next', async () => {
    let release = (): void => {}
    const { clock } = replayOf(() => new Promise<void>((resolve) => (release = resolve)))
    await clock.beat()
    expect(clock.waitingMs).toBeUndefined()
    release()
    await new Promise((resolve) => setImmediate(resolve))
    expect(clock.waitingMs).toBe(200)
  })

  test('has in its state what it is about to publish, so that the state is never behind the stream', async () => {
    const seen: unknown[] = []
    const { clock, replay } = replayOf(async () => seen.push(replay.state().symbols[0]?.recent.at(-1)?.n))
    await clock.beat()
    expect(seen).toEqual([1])
  })

  test('remembers the newest ticks of each symbol, with the time', async () => {
    const { clock, replay } = replayOf(async () => undefined, 2)
    await clock.beat(7)
    const state = replay.state()
    expect([state.firstDate, state.lastDate]).toEqual(['2000-01-01', '2000-02-01'])
    expect(state.symbols.map(({ symbol, recent }) => [symbol, recent.map(({ n }) => n)])).toEqual([
      ['A', [4, 5]],
      ['B', [1, 2]],
    ])
    expect(state.symbols[0]?.recent.at(-1)).toEqual({
      symbol: 'A',
      date: '2000-01-01',
      price: 1,
      n: 5,
      lap: 3,
      timeMs: 1_700_000_001_400,
    })
  })

  test('stops when it is closed, also while a tick is under way', async () => {
    let release = (): void => {}
    const { clock, replay } = replayOf(() => new Promise<void>((resolve) => (release = resolve)))
    await clock.beat()
    replay.close()
    release()
    await new Promise((resolve) => setImmediate(resolve))
    expect(clock.waitingMs).toBeUndefined()
    replay.close()
  })
})

describe('the prices', () => {
  test('are those of the data set, oldest month first', () => {
    const prices = readStockPrices()
    expect(prices).toHaveLength(560)
    expect(prices[0]).toEqual({ symbol: 'MSFT', date: '2000-01-01', price: 39.81 })
    expect(prices.at(-1)).toEqual({ symbol: 'AAPL', date: '2010-03-01', price: 223.02 })
    expect(prices.find(({ symbol }) => symbol === 'GOOG')).toEqual({
      symbol: 'GOOG',
      date: '2004-08-01',
      price: 102.37,
    })
    const dates = prices.map(({ date }) => date)
    expect(dates).toEqual(dates.toSorted())
  })

  test.each(['MSFT,Jan 1 2000', 'MSFT,Foo 1 2000,1', 'msft,Jan 1 2000,1', 'MSFT,Jan 1 2000,-1', ''])(
    'are refused when a line is %j',
    (line) => {
      expect(() => parseStockPrices(`symbol,date,price\n${line}\nMSFT,Jan 1 2000,1`)).toThrow(JSON.stringify(line))
    },
  )

  test('are refused when the columns are others', () => {
    expect(() => parseStockPrices('date,symbol,price\n')).toThrow('unexpected header line')
  })
})
