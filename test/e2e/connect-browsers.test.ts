/** `connect` in real browsers against the real hub, through proxies that cut and hold back. */
import { forward, holdBack, startFaultServer } from '@millrace/testing'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { browserAvailable, type BrowserName } from '../support/services.ts'
import { launchBrowser, type BrowserPage, type TestBrowser } from './support/browser.ts'
import { FAST, publishUntil } from './support/browser-stage.ts'
import { bundlePage, bundleScript } from './support/bundle-page.ts'
import { CUT_PLACES } from './support/cut-rules.ts'
import { startCuttingProxy, type CuttingProxy } from './support/cutting-proxy.ts'
import { numbers, startTestHub, type TestHub } from './support/test-hub.ts'

const PATIENCE = { timeout: 20_000, interval: 20 }

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(!browserAvailable(name))(`connect in ${name}`, () => {
    suite(name)
  })
}

interface Stage {
  readonly hub: TestHub
  readonly proxy: CuttingProxy
  readonly page: BrowserPage
}

function suite(name: BrowserName): void {
  let browser: TestBrowser
  let html = ''
  let script = ''

  beforeAll(async () => {
    script = await bundleScript('connect-anywhere-page.ts')
    html = await bundlePage('connect-anywhere-page.ts', '')
    browser = await launchBrowser(name, { keepsPages: true })
  })
  afterAll(() => browser?.close())

  async function openPage(origin: string): Promise<BrowserPage> {
    const page = await browser.open(`${origin}/`)
    onTestFinished(() => page.close())
    return page
  }

  async function setUp(): Promise<Stage> {
    const hub = await startTestHub(FAST)
    const pages = { '/': html, '/other': '<title>Other</title>', '/service-worker.js': script }
    const proxy = await startCuttingProxy({ port: hub.port, pages })
    return { hub, proxy, page: await openPage(proxy.origin) }
  }

  /** Starts the page's stream and waits until it has its first bytes, and so an id. */
  async function listening({ page }: Stage, call: string): Promise<void> {
    await page.evaluate(`void ${call}`)
    await expect.poll(() => inPage(page, 'statuses.at(-1)?.name ?? null'), PATIENCE).toBe('open')
  }

  /** What the page has seen, once it has seen `last`. */
  async function seenUpTo(page: BrowserPage, last: number): Promise<number[]> {
    await expect.poll(() => inPage<number[]>(page, 'seen'), PATIENCE).toContain(last)
    return page.evaluate('seen')
  }

  test('receives, is cut at every kind of place, and has every event once and in order', async () => {
    const stage = await setUp()
    const { hub, proxy, page } = stage
    // Twice cut before anything came, it polls for a while.
    await listening(stage, `listen('/events', { connectTimeoutMs: 2_000, pollWaitMs: 200, streamRetryMs: 200 })`)
    proxy.cutNow()
    for (const [i, [, rule]] of CUT_PLACES.entries()) proxy.cutNext(rule, i % 2 === 0 ? 'fin' : 'rst')
    const count = await publishUntil(hub, () => proxy.pendingCuts === 0)
    expect(await seenUpTo(page, count)).toEqual(numbers(1, count))
    expect(proxy.passages.length).toBeGreaterThan(CUT_PLACES.length)
    expect(await page.evaluate<{ code: string }[]>('errors')).not.toContainEqual(
      expect.objectContaining({ code: 'missed' }),
    )
  })

  for (const [where, call] of [
    ['a web worker', 'listenInWorker'],
    ['a service worker', 'listenInServiceWorker'],
  ] as const) {
    test(`does so in ${where}`, async () => {
      const stage = await setUp()
      const { hub, proxy, page } = stage
      await page.evaluate(`void ${call}('/events')`)
      await expect.poll(() => hub.hub.stats().subscribers, PATIENCE).toBe(1)
      await hub.publish('a', numbers(1, 5))
      await seenUpTo(page, 5)
      proxy.cutNow('rst')
      await hub.publish('a', numbers(6, 10))
      expect(await seenUpTo(page, 10)).toEqual(numbers(1, 10))
      expect(await page.evaluate('errors')).toEqual([])
      expect(proxy.passages).toHaveLength(2)
    })
  }

  test('goes on after a reload from the id that it has kept', async () => {
    const stage = await setUp()
    const { hub, proxy, page } = stage
    await listening(stage, `listen('/events', { persist: true })`)
    await hub.publish('a', [1, 2, 3])
    await seenUpTo(page, 3)
    await page.evaluate('void setTimeout(() => location.reload()), (globalThis.isLeft = true)')
    await expect.poll(() => hub.hub.stats().subscribers, PATIENCE).toBe(0)
    await hub.publish('a', [4, 5])
    // The page that is left gives its stream up before it goes: it is still there to be asked.
    await expect.poll(() => inPage(page, `'isLeft' in globalThis ? 'left' : shows`), PATIENCE).toEqual([false])
    await listening(stage, `listen('/events', { persist: true })`)
    expect(await seenUpTo(page, 5)).toEqual([4, 5])
    expect(proxy.passages[1]?.headers.get('last-event-id')).toMatch(/-3-/)
  })

  test('tries at once when the network is back', async () => {
    const stage = await setUp()
    const { hub, proxy, page } = stage
    await listening(stage, `listenPatiently('/events')`)
    proxy.cutNow('rst')
    await expect.poll(() => inPage(page, 'statuses.at(-1).name'), PATIENCE).toBe('waiting')
    await hub.publish('a', [1])
    await page.evaluate(`void dispatchEvent(new Event('online'))`)
    expect(await seenUpTo(page, 1)).toEqual([1])
  })

  // Firefox 153 keeps no page that has a request under way, whoever makes it, and decides so before `pagehide`, when the request could
  // be given up: it loads the page anew, which is the case above. Between two polls there is none: the case below.
  test.skipIf(name === 'firefox')(
    'goes on from its id when the page comes back from the back/forward cache',
    async () => {
      const stage = await setUp()
      const { hub, page } = stage
      await listening(stage, `listenPatiently('/events')`)
      await hub.publish('a', [1, 2])
      await seenUpTo(page, 2)
      await page.evaluate(`void setTimeout(() => { location.href = '/other' })`)
      await expect.poll(() => inPage(page, 'document.title'), PATIENCE).toBe('Other')
      await hub.publish('a', [3, 4])
      await page.evaluate('void setTimeout(() => history.back())')
      await expect.poll(() => inPage(page, 'shows.at(-1)'), PATIENCE).toBe(true)
      await hub.publish('a', [5])
      expect(await seenUpTo(page, 5)).toEqual([1, 2, 3, 4, 5])
    },
  )

  test('polls on from its id when the page comes back from the back/forward cache', async () => {
    const hub = await startTestHub(FAST)
    const pages = { '/': html, '/other': '<title>Other</title>' }
    const proxy = await startFaultServer({ upstream: `http://127.0.0.1:${hub.port}`, pages })
    onTestFinished(() => proxy.close())
    const page = await openPage(proxy.origin)
    await page.evaluate(`void listen('/events', { transport: 'polling', pollIntervalMs: 600_000 })`)
    const polls = `performance.getEntriesByType('resource').filter(({ name }) => name.includes('/events')).length`
    // The first poll has the id, and the second one nothing.
    await expect.poll(() => inPage(page, polls), PATIENCE).toBe(2)
    await page.evaluate(`void setTimeout(() => { location.href = '/other' })`)
    await expect.poll(() => inPage(page, 'document.title'), PATIENCE).toBe('Other')
    await hub.publish('a', [1, 2])
    await page.evaluate('void setTimeout(() => history.back())')
    await expect.poll(() => inPage(page, 'shows'), PATIENCE).toEqual([false, true])
    expect(await seenUpTo(page, 2)).toEqual([1, 2])
    await expect.poll(() => inPage(page, polls), PATIENCE).toBe(3)
  })

  test('is told in words what may be wrong when the hub is of another origin', async () => {
    const { hub, page } = await setUp()
    await page.evaluate(`void listen('${hub.url}')`)
    await expect.poll(() => inPage(page, 'errors.length'), PATIENCE).toBeGreaterThan(2)
    const found = await page.evaluate<{ code: string; message: string }[]>('errors')
    for (const error of found) {
      expect(error.code).toBe('network')
      expect(error.message).toContain('Does the server allow pages of this origin (CORS)?')
    }
    expect(await page.evaluate('seen')).toEqual([])
  })

  test('polls behind a proxy that holds streams back, and streams when it does not any more', async () => {
    const hub = await startTestHub(FAST)
    let isHolding = true
    const proxy = await startFaultServer({
      upstream: `http://127.0.0.1:${hub.port}`,
      pages: { '/': html },
      otherwise: [(answer) => (isHolding ? holdBack()(answer) : undefined), forward()],
    })
    onTestFinished(() => proxy.close())
    const page = await openPage(proxy.origin)
    const transport = (): Promise<unknown> => inPage(page, 'statuses.at(-1).transport ?? null')
    await page.evaluate(
      `void listen('/events', { streamTimeoutMs: 300, connectTimeoutMs: 1_500, pollWaitMs: 500, streamRetryMs: 2_000 })`,
    )
    await expect.poll(transport, PATIENCE).toBe('long-polling')
    // Firefox gives a page the head of a response together with its first bytes: what is held back has not answered.
    const code = name === 'firefox' ? 'timeout' : 'held_back'
    expect(await page.evaluate('errors.map(({ code }) => code)')).toEqual([code])
    await hub.publish('a', numbers(1, 20))
    await seenUpTo(page, 20)
    isHolding = false
    await expect.poll(transport, PATIENCE).toBe('stream')
    await hub.publish('a', numbers(21, 40))
    expect(await seenUpTo(page, 40)).toEqual(numbers(1, 40))
  })
}

/** The value of an expression; undefined while the page is on its way to another document. */
async function inPage<T>(page: BrowserPage, expression: string): Promise<T | undefined> {
  try {
    return await page.evaluate<T>(expression)
  } catch {
    return undefined
  }
}
