/** The resilience cases of the testing kit: a page and a hub that survive them, and ones that do not and are found. */
import { startFaultServer, type FaultServer } from '@millrace/testing'
import {
  survivesClose,
  survivesOffline,
  survivesQuickReconnects,
  survivesReload,
  type ResilienceSubject,
} from '@millrace/testing/playwright'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { browserAvailable, browserPath } from '../support/services.ts'
import { startTestHub, type TestHub, type TestHubOptions } from './support/test-hub.ts'

/** Shows the data of each event as a line; keeps the last id for a reload when the URL asks for it. */
const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>Lines</title>
<ol></ol>
<script>
  const keeps = location.search.includes('keep')
  const id = keeps ? sessionStorage.getItem('id') : null
  const source = new EventSource('/events?topic=a' + (id ? '&last_event_id=' + id : ''))
  source.onmessage = (event) => show(event.data, event.lastEventId)
  function show(text, id) {
    sessionStorage.setItem('id', id)
    document.querySelector('ol').append(Object.assign(document.createElement('li'), { textContent: text }))
  }
</script>
`

/** A page that opens one more stream at each error, before the one that comes back by itself. */
const MULTIPLYING = `${PAGE}<script>
  source.onerror = () => new EventSource('/events?topic=b')
</script>`

/** A page that shows an event twice when it comes after a reconnection. */
const DOUBLING = `${PAGE}<script>
  let opened = 0
  source.onopen = () => opened++
  source.onmessage = (event) => {
    show(event.data, event.lastEventId)
    if (opened > 1) show(event.data, event.lastEventId)
  }
</script>`

/** A page that gives up at the first error. */
const GIVING_UP = `${PAGE}<script>source.onerror = () => source.close()</script>`

/** A page that has no stream when it is loaded a second time. */
const ONCE = PAGE.replace('const source', "if (sessionStorage.getItem('id')) throw 'was here before'; const source")

interface Setting {
  readonly hub: TestHub
  readonly proxy: FaultServer
  readonly page: Page
  readonly subject: ResilienceSubject<Page>
}

describe.skipIf(!browserAvailable('chromium'))('the resilience cases in Chromium', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: browserPath('chromium'),
      args: ['--no-sandbox', '--disable-quic'],
    })
  })
  afterAll(() => browser?.close())

  async function setUp(html = PAGE, query = '', hubOptions: TestHubOptions = {}): Promise<Setting> {
    const hub = await startTestHub({ retryMs: 50, heartbeatMs: 100, ...hubOptions })
    const proxy = await startFaultServer({ upstream: `http://127.0.0.1:${hub.port}`, pages: { '/': html } })
    onTestFinished(() => proxy.close())
    const context: BrowserContext = await browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.goto(`${proxy.origin}/${query}`)
    const subject: ResilienceSubject<Page> = {
      page,
      proxy,
      publish: (label) => hub.hub.publish({ topic: 'a', data: label }),
      received: (shown) => shown.locator('li').allTextContents(),
      serverStreams: () => hub.hub.stats().subscribers,
    }
    return { hub, proxy, page, subject }
  }

  /** What is said of one that does not survive; waits are short, since it is known not to. */
  async function faultOf(
    run: (subject: ResilienceSubject<Page>) => Promise<unknown>,
    subject: ResilienceSubject<Page>,
  ) {
    const error: unknown = await run({ ...subject, withinMs: 1_500 }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'AssertionError' })
    return (error as Error).message
  }

  test('a page with a native EventSource and a hub survive all four, one after the other', async () => {
    const { hub, proxy, subject } = await setUp()
    await survivesQuickReconnects(subject)
    await survivesOffline(subject, { offlineMs: 600 })
    await survivesReload(subject)
    const page = await survivesClose(subject)
    await survivesReload({ ...subject, page })
    expect(proxy.openCount).toBe(1)
    expect(hub.hub.stats().subscribers).toBe(1)
    expect(proxy.requests.length).toBeGreaterThan(12)
  })

  test('the browser is told that it is offline, and that it is online again', async () => {
    const { page, subject } = await setUp()
    await page.evaluate(() => {
      const seen: string[] = Object.assign(globalThis, { seen: [] as string[] }).seen
      for (const type of ['offline', 'online']) globalThis.addEventListener(type, () => seen.push(type))
    })
    await survivesOffline(subject, { offlineMs: 100 })
    expect(await page.evaluate('[seen, navigator.onLine]')).toEqual([['offline', 'online'], true])
  })

  test('a page that keeps its id is owed what was published while it was reloaded', async () => {
    const keeping = await setUp(PAGE, '?keep')
    await survivesReload({ ...keeping.subject, keepsIdOverReload: true })
    const forgetting = await setUp()
    expect(
      await faultOf((subject) => survivesReload({ ...subject, keepsIdOverReload: true }), forgetting.subject),
    ).toMatch(/missing: ("reload-\w+-\d+\."(, |$)){5}/m)
  })

  test('a page that multiplies its connections is found', async () => {
    const { subject } = await setUp(MULTIPLYING)
    const message = await faultOf((one) => survivesQuickReconnects(one, { count: 1 }), subject)
    expect(message).toContain('the page should have 1 stream open, and has 2')
  })

  test('a page that shows events twice is found', async () => {
    const { subject } = await setUp(DOUBLING)
    expect(await faultOf((one) => survivesOffline(one, { offlineMs: 50 }), subject)).toMatch(
      /more than once: "offline-/,
    )
  })

  test('a page that gives up is found', async () => {
    const { subject } = await setUp(GIVING_UP)
    expect(await faultOf((one) => survivesQuickReconnects(one, { count: 1 }), subject)).toContain(
      'after cut 1, the page should have 1 stream open, and has 0',
    )
  })

  test('a page that has no stream when it is opened again is found', async () => {
    const { subject } = await setUp(ONCE)
    expect(await faultOf(survivesReload, subject)).toContain('The stream of the reloaded page did not come')
  })

  test('a server that replays nothing is found, and is well when nothing is owed', async () => {
    // One event is kept: the others of those that are published meanwhile are lost.
    const { subject } = await setUp(PAGE, '', {
      memory: { topics: [{ match: '>', retention: { maxCount: 1 } }] },
      hotWindowCount: 1,
    })
    expect(await faultOf((one) => survivesOffline(one, { offlineMs: 50 }), subject)).toMatch(/missing: "offline-/)
    await survivesOffline({ ...subject, replays: false }, { offlineMs: 50 })
    await survivesQuickReconnects({ ...subject, replays: false }, { count: 2 })
  })

  test('a server that does not notice who has left is found', async () => {
    const { subject } = await setUp()
    const message = await faultOf((one) => survivesClose({ ...one, serverStreams: () => 1 }), subject)
    expect(message).toContain('when the page is closed, the server should hold 0 streams, and holds 1')
  })

  test('a test that publishes through the proxy is told so', async () => {
    const { subject, proxy } = await setUp()
    const publish = async (label: string): Promise<void> => {
      await fetch(proxy.origin)
      await subject.publish(label)
    }
    expect(await faultOf((one) => survivesOffline({ ...one, publish }, { offlineMs: 50 }), subject)).toContain(
      'It has to reach the server past the proxy',
    )
  })

  test('a page that was not loaded through the proxy is found at once', async () => {
    const { page, subject } = await setUp()
    await page.goto('about:blank')
    await expect.poll(() => subject.proxy.openCount).toBe(0)
    expect(await faultOf(survivesClose, subject)).toContain('load it from proxy.origin')
  })
})
