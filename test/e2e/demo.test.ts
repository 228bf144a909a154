/** The demo in real browsers, as a visitor uses it: the page may claim nothing that the stream does not show. */
import { execFileSync, spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { browserAvailable } from '../support/services.ts'
import { launchBrowser, type BrowserPage, type TestBrowser } from './support/browser.ts'
import { startHubProcess, type HubProcess } from './support/hub-process.ts'

const hasCurl = spawnSync('curl', ['--version']).status === 0
const CUT = '[data-testid=cut]'
const CUT_LONG = '[data-testid=cut-long]'

let hub: HubProcess

beforeAll(async () => {
  hub = await startHubProcess(['--port', '0', '--demo'])
})
afterAll(() => hub?.stop())

describe.skipIf(!browserAvailable('chromium'))('the demo in chromium', () => {
  let browser: TestBrowser
  /** Away for 20 s, while the other tests run. */
  let away: BrowserPage

  beforeAll(async () => {
    browser = await launchBrowser('chromium')
    away = await openDemo(browser)
    await until(away, 'five ticks', `number('total-received') >= 5`)
    await away.click(CUT_LONG)
  })
  afterAll(() => browser?.close())

  test('prices move', async () => {
    const page = await visit(browser)
    await until(page, 'live', `text('phase') === 'live'`)
    await until(page, 'a price', `text('price-AAPL').startsWith('$')`)
    const before = await page.evaluate<string>(`text('price-AAPL')`)
    await until(page, 'another price', `text('price-AAPL') !== ${JSON.stringify(before)}`)
    expect(await page.evaluate(`document.querySelectorAll('[data-testid=chart] canvas').length`)).toBe(1)
    expect(await page.evaluate<string>(`text('replay-date')`)).toMatch(/^[A-Z][a-z]+ 20\d\d$/)
    expectQuiet(page)
  })

  test('a cut: it says that it resumed, what was replayed, and that nothing is lost; the ticks agree', async () => {
    const page = await visit(browser)
    await until(page, 'five ticks', `number('total-received') >= 5`)
    await page.click(CUT)
    await until(page, 'the loss', `text('status').startsWith('Connection lost')`)
    await until(page, 'the outcome', `text('status').startsWith('Resumed')`)
    const outcome = await page.evaluate<string>(`text('status')`)
    const [, id, replayed] = /^Resumed from id (\S+) after .* s: (\d+) events? replayed, 0 lost\.$/.exec(outcome) ?? []
    expect(Number(replayed)).toBeGreaterThan(0)
    const rows = await ticks(page)
    expectDense(rows)
    expect(rows.map((row) => row.id)).toContain(id)
    expect(rows.filter((row) => row.isReplayed)).toHaveLength(Number(replayed))
    expect(await totals(page)).toMatchObject({ resumed: 1, replayed: Number(replayed), missed: 0, lost: 0, again: 0 })
    expectQuiet(page)
  })

  test('a changed watch-list goes on where it was', async () => {
    const page = await visit(browser)
    await until(page, 'five ticks', `number('total-received') >= 5`)
    await page.click('[data-testid=unwatch-MSFT]')
    await page.click('[data-testid=watch-IBM]')
    await until(
      page,
      'the outcome',
      `/^Watch-list changed, went on from id \\S+: \\d+ events? replayed, 0 lost\\.$/.test(text('status'))`,
    )
    await until(page, 'ticks of IBM', `ticks().filter(({ symbol }) => symbol === 'IBM').length >= 3`)
    const url = await page.evaluate<string>(`text('stream-url')`)
    expect(url).toMatch(/stocks\.IBM.*last_event_id=/)
    expect(url).not.toContain('MSFT')
    expectDense(await ticks(page))
    expect(await totals(page)).toMatchObject({ lost: 0, again: 0 })
    expectQuiet(page)
  })

  test.skipIf(!hasCurl)(
    'what is published appears in both open tabs, from the page and from its curl line',
    async () => {
      const page = await visit(browser)
      const tab = await openTab(page)
      for (const each of [page, tab]) await until(each, 'live', `text('phase') === 'live'`)
      await page.fill('[data-testid=publish-topic]', 'demo.tabs')
      await page.fill('[data-testid=publish-type]', 'greeting')
      await page.fill('[data-testid=publish-data]', `{"text":"it's <b>here</b> & there"}`)
      await page.press('Tab')
      await page.click('[data-testid=publish-submit]')
      await until(page, 'the answer', `text('publish-result').startsWith('Published as ')`)
      for (const each of [page, tab]) {
        await until(each, 'the event', `text('arrivals').includes("it's <b>here</b> & there")`)
        expect(await each.evaluate(`text('arrivals')`)).toMatch(/demo\.tabs.*greeting/s)
      }
      await page.fill('[data-testid=publish-data]', `it's "from" a $HOME \`shell\``)
      const line = await page.evaluate<string>(`text('publish-curl')`)
      expect(line).toMatch(/^curl http:\/\/127\.0\.0\.1:\d+\/events /)
      execFileSync('sh', ['-c', line.replace('curl ', 'curl -sf ')], { stdio: 'ignore' })
      for (const each of [page, tab])
        await until(each, 'it', `text('arrivals').includes('it\\'s "from" a $HOME \`shell\`')`)
      expectQuiet(page)
      expectQuiet(tab)
    },
  )

  test('by keyboard alone, in the dark', async () => {
    const page = await browser.open(hub.url, { colorScheme: 'dark' })
    onTestFinished(() => page.close())
    await page.evaluate(HELPERS)
    expect(await page.evaluate(`document.documentElement.dataset.theme`)).toBe('dark')
    await until(page, 'five ticks', `number('total-received') >= 5`)
    const focused = `document.activeElement.getAttribute('data-testid')`
    for (let i = 0; i < 30 && (await page.evaluate(focused)) !== 'cut'; i++) await page.press('Tab')
    expect(await page.evaluate(focused)).toBe('cut')
    await page.press('Enter')
    await until(page, 'the outcome', `/^Resumed .* 0 lost\\.$/.test(text('status'))`)
    expectQuiet(page)
  })

  test('away for 20 s, longer than the hub remembers: it is told, and refetches', async () => {
    await until(away, 'the outcome', `text('status').startsWith('Away too long')`, 40_000)
    expect(await away.evaluate<string>(`text('status')`)).toMatch(
      /^Away too long \(\d\d\.\d s\) .* said so: too_old\. The page refetched the prices: \d+ ticks missed, 0 lost in silence\.$/,
    )
    const { missed, lost, again } = await totals(away)
    expect({ lost, again }).toEqual({ lost: 0, again: 0 })
    expect(missed).toBeGreaterThan(20)
    // The notice comes before anything newer: what follows it in the list of what was received is older.
    const received = await away.evaluate<string[]>(
      `[...document.querySelectorAll('[data-testid=raw-row]')].map((row) => row.dataset.type).toReversed()`,
    )
    const notice = received.indexOf('stream:sync-required')
    expect(received.slice(0, notice).lastIndexOf('stream:connected')).toBe(notice - 1)
    expectQuiet(away)
  })
})

describe.skipIf(!browserAvailable('firefox'))('the demo in firefox', () => {
  let browser: TestBrowser

  beforeAll(async () => {
    browser = await launchBrowser('firefox')
  })
  afterAll(() => browser?.close())

  test('prices move, and a cut loses nothing', async () => {
    const page = await visit(browser)
    await until(page, 'a price', `text('price-AAPL').startsWith('$')`)
    await until(page, 'five ticks', `number('total-received') >= 5`)
    await page.click(CUT)
    await until(
      page,
      'the outcome',
      `/^Resumed from id \\S+ .*: [1-9]\\d* events? replayed, 0 lost\\.$/.test(text('status'))`,
    )
    expectDense(await ticks(page))
    expect(await totals(page)).toMatchObject({ resumed: 1, missed: 0, lost: 0, again: 0 })
    expectQuiet(page)
  })
})

/** What the tests ask the page; not the page's own functions. */
const HELPERS = `
  globalThis.text = (id) => document.querySelector('[data-testid=' + id + ']')?.textContent.trim() ?? ''
  globalThis.number = (id) => Number(text(id))
  globalThis.ticks = () => [...document.querySelectorAll('[data-testid=raw-row][data-type=tick]')].toReversed().map((row) => {
    const { id, data } = JSON.parse(row.querySelector('.row-data').textContent)
    return { id, symbol: data.symbol, n: data.n, isReplayed: row.dataset.kind === 'replayed' }
  })
  undefined
`

interface TickRow {
  readonly id: string
  readonly symbol: string
  readonly n: number
  readonly isReplayed: boolean
}

async function openDemo(browser: TestBrowser): Promise<BrowserPage> {
  const page = await browser.open(`${hub.url}/`)
  await page.evaluate(HELPERS)
  return page
}

async function visit(browser: TestBrowser): Promise<BrowserPage> {
  const page = await openDemo(browser)
  onTestFinished(() => page.close())
  return page
}

async function openTab(page: BrowserPage): Promise<BrowserPage> {
  const tab = await page.openTab(`${hub.url}/`)
  await tab.evaluate(HELPERS)
  return tab
}

async function until(page: BrowserPage, what: string, condition: string, patienceMs = 15_000): Promise<void> {
  const endMs = performance.now() + patienceMs
  while (!(await page.evaluate<boolean>(condition))) {
    if (performance.now() > endMs) {
      throw new Error(`The page did not show ${what}; its status is "${await page.evaluate<string>(`text('status')`)}"`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function ticks(page: BrowserPage): Promise<TickRow[]> {
  return page.evaluate('ticks()')
}

async function totals(page: BrowserPage): Promise<Record<string, number>> {
  const entries: [string, number][] = []
  for (const name of ['received', 'resumed', 'replayed', 'missed', 'lost', 'again']) {
    entries.push([name, await page.evaluate(`number('total-${name}')`)])
  }
  return Object.fromEntries(entries)
}

/** The counters of each symbol, in the order in which the browser received them, have no hole and no double. */
function expectDense(rows: readonly TickRow[]): void {
  const last = new Map<string, number>()
  const faults = rows.filter(({ symbol, n }) => {
    const before = last.get(symbol)
    last.set(symbol, n)
    return before !== undefined && n !== before + 1
  })
  expect(faults).toEqual([])
  expect(rows.length).toBeGreaterThan(5)
}

/** No request left the machine, and the console stayed empty. */
function expectQuiet(page: BrowserPage): void {
  expect([...new Set(page.requests.map((url) => new URL(url).origin))]).toEqual([hub.url])
  expect(page.errors).toEqual([])
}
