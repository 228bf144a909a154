import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'

// The page is plain JavaScript for browsers; what these modules export is said here once more.
interface Continuity {
  accept(symbol: string, n: number): { kind: string; missing: number; announced: boolean }
  announceGap(): void
  expectFirst(symbol: string): void
  forget(symbol: string): void
}
interface History {
  setMonths(state: { firstDate: string; lastDate: string }): void
  add(
    tick: { symbol: string; date: string; price: number; n: number; lap: number },
    timeMs: number,
    arrival: string,
  ): boolean
  of(symbol: string): readonly { n: number; month: number; arrival: string }[]
  dateOf(month: number): { year: number; month: number; betweenLaps: boolean }
}
interface CurlCommand {
  eventFromForm(topic: string, type: string, text: string): { topic: string; type?: string; data: unknown }
  curlCommand(origin: string, event: object): string
}

const page = async (name: string): Promise<unknown> => import(new URL(`../demo/${name}`, import.meta.url).href)
const { createContinuity } = (await page('continuity.js')) as { createContinuity(): Continuity }
const { createPriceHistory, isTick } = (await page('price-history.js')) as {
  createPriceHistory(): History
  isTick(data: unknown): boolean
}
const { eventFromForm, curlCommand } = (await page('curl-command.js')) as CurlCommand

describe('the check of counters', () => {
  test('takes what follows without a gap', () => {
    const continuity = createContinuity()
    const kinds = [7, 8, 9].map((n) => continuity.accept('A', n).kind)
    expect(kinds).toEqual(['first', 'next', 'next'])
    expect(continuity.accept('B', 1).kind).toBe('first')
  })

  test('counts what is missing, and counts on from there', () => {
    const continuity = createContinuity()
    continuity.accept('A', 1)
    expect(continuity.accept('A', 5)).toEqual({ kind: 'jump', missing: 3, announced: false })
    expect(continuity.accept('A', 6)).toEqual({ kind: 'next', missing: 0, announced: false })
  })

  test('knows what comes twice, and does not step back for it', () => {
    const continuity = createContinuity()
    continuity.accept('A', 4)
    expect(continuity.accept('A', 4).kind).toBe('again')
    expect(continuity.accept('A', 3).kind).toBe('again')
    expect(continuity.accept('A', 5).kind).toBe('next')
  })

  test('tells a gap that the hub announced from a silent one, for one jump of each symbol', () => {
    const continuity = createContinuity()
    for (const symbol of ['A', 'B']) continuity.accept(symbol, 1)
    continuity.announceGap()
    expect(continuity.accept('A', 10)).toEqual({ kind: 'jump', missing: 8, announced: true })
    expect(continuity.accept('A', 12)).toEqual({ kind: 'jump', missing: 1, announced: false })
    expect(continuity.accept('B', 2)).toEqual({ kind: 'next', missing: 0, announced: true })
    expect(continuity.accept('B', 2).kind).toBe('again')
  })

  test('counts anew after an announced gap that leads to a lower number', () => {
    const continuity = createContinuity()
    continuity.accept('A', 90)
    continuity.announceGap()
    expect(continuity.accept('A', 3)).toEqual({ kind: 'anew', missing: 0, announced: true })
    expect(continuity.accept('A', 4).kind).toBe('next')
  })

  test('expects number 1 of a symbol that never ticked', () => {
    const continuity = createContinuity()
    continuity.expectFirst('A')
    expect(continuity.accept('A', 3)).toMatchObject({ kind: 'jump', missing: 2 })
    continuity.expectFirst('A')
    expect(continuity.accept('A', 4).kind).toBe('next')
  })

  test('does not count over a time in which a symbol was not watched', () => {
    const continuity = createContinuity()
    continuity.accept('A', 1)
    continuity.forget('A')
    expect(continuity.accept('A', 9)).toEqual({ kind: 'first', missing: 0, announced: false })
  })
})

describe('a tick', () => {
  const tick = { symbol: 'A', date: '2000-01-01', price: 1.5, n: 1, lap: 1 }

  test('is what the replay publishes', () => {
    expect(isTick(tick)).toBe(true)
  })

  test.each([
    null,
    undefined,
    'A',
    [],
    {},
    { ...tick, date: 'soon' },
    { ...tick, date: 7 },
    { ...tick, n: '1' },
    { ...tick, price: null },
  ])('is not %j, whoever publishes it', (data) => {
    expect(isTick(data)).toBe(false)
  })
})

describe('the history of prices', () => {
  const tick = (n: number, date = '2000-01-01', lap = 1) => ({ symbol: 'A', date, price: n, n, lap })

  function history(): History {
    const made = createPriceHistory()
    made.setMonths({ firstDate: '2000-01-01', lastDate: '2000-12-01' })
    return made
  }

  test('is in the order of the counters, however it arrives', () => {
    const prices = history()
    for (const n of [3, 1, 4, 2]) prices.add(tick(n), 0, 'live')
    expect(prices.of('A').map(({ n }) => n)).toEqual([1, 2, 3, 4])
  })

  test('has each tick once, and knows best how the stream brought it', () => {
    const prices = history()
    expect(prices.add(tick(1), 0, 'refetched')).toBe(true)
    expect(prices.add(tick(1), 0, 'live')).toBe(false)
    expect(prices.add(tick(1), 0, 'refetched')).toBe(false)
    expect(prices.of('A').map(({ arrival }) => arrival)).toEqual(['live'])
  })

  test('is bounded', () => {
    const prices = history()
    for (let n = 1; n <= 1_000; n++) prices.add(tick(n), 0, 'live')
    expect(prices.of('A').length).toBeLessThan(200)
    expect(prices.of('A').at(-1)?.n).toBe(1_000)
  })

  test('counts months over the laps, with some between them, and back to dates', () => {
    const prices = history()
    prices.add(tick(1, '2000-12-01', 1), 0, 'live')
    prices.add(tick(2, '2000-01-01', 2), 0, 'live')
    const [last = 0, first = 0] = prices.of('A').map(({ month }) => month)
    expect(first - last).toBeGreaterThan(1)
    expect(prices.dateOf(last)).toEqual({ year: 2000, month: 11, betweenLaps: false })
    expect(prices.dateOf(last + 1).betweenLaps).toBe(true)
    expect(prices.dateOf(first)).toEqual({ year: 2000, month: 0, betweenLaps: false })
    expect(prices.dateOf(-first)).toEqual({ year: 2000, month: 0, betweenLaps: false })
  })
})

describe('the curl line', () => {
  test('sends JSON as JSON, and anything else as text', () => {
    expect(eventFromForm('demo.a', '', '{"a":1}')).toEqual({ topic: 'demo.a', data: { a: 1 } })
    expect(eventFromForm('demo.a', 'note', '12 o’clock')).toEqual({ topic: 'demo.a', type: 'note', data: '12 o’clock' })
  })

  test.each(["it's", 'a "double" quote', '$HOME `id` $(id)', 'back\\slash', 'two\nlines', "''", '!history', 'é\u2028'])(
    'means the same to a shell: %j',
    (text) => {
      const line = curlCommand('http://127.0.0.1:3000', eventFromForm('demo.a', '', text))
      // A shell that runs a function of that name instead, which prints its last argument.
      const { stdout } = spawnSync('sh', ['-c', `curl() { shift 4; printf %s "$1"; }\n${line}`], { encoding: 'utf8' })
      expect(JSON.parse(stdout)).toEqual({ topic: 'demo.a', data: text })
    },
  )
})
