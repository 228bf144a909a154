/**
 * The React hooks in browsers, in StrictMode, against a hub: what is opened, what stays open, and what arrives. With the newest React, and
 * with the oldest that the package says it works with.
 */
import { reply, startFaultServer, type FaultServer } from '@millrace/testing'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { browserAvailable, type BrowserName } from '../support/services.ts'
import { bundlePage, bundleScript, type Alias } from './support/bundle-page.ts'
import { launchBrowser, type BrowserPage, type TestBrowser } from './support/browser.ts'
import type { View } from './support/react-app.tsx'
import { startTestHub, type TestHub } from './support/test-hub.ts'

const folder = fileURLToPath(new URL('../react-18/node_modules/', import.meta.url))
const react18 = { react: `${folder}react`, 'react-dom': `${folder}react-dom` }

for (const [version, name, alias] of [
  ['19', 'chromium', {}],
  ['19', 'firefox', {}],
  ['18', 'chromium', react18],
] as const) {
  describe.skipIf(!browserAvailable(name))(`the hooks of React ${version} in ${name}`, () => {
    suite(name, version, alias)
  })
}

function suite(name: BrowserName, version: string, alias: Alias): void {
  let browser: TestBrowser

  beforeAll(async () => {
    browser = await launchBrowser(name)
  })
  afterAll(() => browser?.close())

  async function setUp(html = ''): Promise<{ hub: TestHub; proxy: FaultServer; app: AppPage }> {
    const hub = await startTestHub({ retryMs: 50, heartbeatMs: 200 })
    const document = await bundlePage('react-client.tsx', `<div id="root">${html}</div>`, alias)
    const proxy = await startFaultServer({ upstream: `http://127.0.0.1:${hub.port}`, pages: { '/': document } })
    onTestFinished(() => proxy.close())
    const page = await browser.open(`${proxy.origin}/`)
    onTestFinished(() => page.close())
    return { hub, proxy, app: new AppPage(page) }
  }

  test('it is the React that is meant', async () => {
    const { app } = await setUp()
    await app.shows('<b>open</b>')
    expect(await app.version()).toMatch(new RegExp(`^${version}\\.`))
  })

  test('StrictMode opens one connection, and every event is handled once', async () => {
    const { hub, proxy, app } = await setUp()
    await app.shows('<b>open</b> <i></i> <u>none</u> <s>none</s>')
    await hub.publish('a.x', [1, 2], 'tick')
    await hub.publish('a.y', [3], 'tick')
    await app.shows('<b>open</b> <i>1 2 3</i> <u>3</u> <s>2</s>')
    expect(proxy.requests).toHaveLength(1)
    expect(hub.hub.stats().subscribers).toBe(1)
    expect(app.errors).toEqual([])
  })

  test('components with equal options share a connection; with other topics they have their own', async () => {
    const { hub, proxy, app } = await setUp()
    await app.view({ lists: 20 })
    await app.shows('<b>open</b>', 20)
    await hub.publish('a.x', [1], 'tick')
    await app.shows('<i>1</i>', 20)
    expect(proxy.requests).toHaveLength(1)
    await app.view({ topics: ['b.*'] })
    await app.shows('<b>open</b>', 20)
    await expect.poll(() => proxy.openCount).toBe(1)
    expect(proxy.requests.map(({ url }) => url.searchParams.get('topic'))).toEqual(['a.*', 'b.*'])
    await hub.publish('a.x', [2], 'tick')
    await hub.publish('b.x', [3], 'tick')
    await app.shows('<i>1 3</i> <u>3</u> <s>none</s>', 20)
    // Not even for a moment is it shown what belongs to other topics.
    expect(new Set(await app.rendered())).toEqual(new Set(['a.* none', 'a.* 1', 'b.* none', 'b.* 3']))
  })

  test('the last one to go closes it', async () => {
    const { hub, proxy, app } = await setUp()
    await app.view({ lists: 2 })
    await app.shows('<b>open</b>', 2)
    await app.view({ lists: 1 })
    await app.shows('<b>open</b>', 1)
    await app.view({ lists: 0 })
    await expect.poll(() => hub.hub.stats().subscribers).toBe(0)
    expect(proxy.requests).toHaveLength(1)
    expect(proxy.openCount).toBe(0)
  })

  test('another page with the same stream takes it over', async () => {
    const { hub, proxy, app } = await setUp()
    await app.shows('<b>open</b>')
    await app.view({ route: 'other' })
    await app.shows('<b>open</b> <i></i>')
    await app.view({ route: 'home' })
    await app.shows('<b>open</b>')
    await hub.publish('a.x', [1], 'tick')
    await app.shows('<i>1</i>')
    expect(proxy.requests).toHaveLength(1)
  })

  test('without a URL there is none, until there is one', async () => {
    const { hub, proxy, app } = await setUp()
    await app.view({ url: false })
    await app.shows('<b>idle</b>')
    await expect.poll(() => hub.hub.stats().subscribers).toBe(0)
    await app.view({ url: '/events?again' })
    await app.shows('<b>open</b>')
    expect(proxy.requests).toHaveLength(2)
  })

  test('a handler is the one of the last rendering, and rendering opens nothing anew', async () => {
    const { hub, proxy, app } = await setUp()
    await app.shows('<b>open</b>')
    await hub.publish('a.x', [1], 'tick')
    await app.shows('<i>1</i>')
    await app.view({ factor: 10 })
    await hub.publish('a.x', [2], 'tick')
    await app.shows('<i>1 20</i>')
    expect(proxy.requests).toHaveLength(1)
  })

  test('a cut connection comes back by itself, and nothing is missing or twice', async () => {
    const { hub, proxy, app } = await setUp()
    await app.shows('<b>open</b>')
    await hub.publish('a.x', [1], 'tick')
    await app.shows('<i>1</i>')
    proxy.goOffline()
    await hub.publish('a.x', [2, 3], 'tick')
    await app.shows('<b>waiting</b>')
    proxy.goOnline()
    await app.shows('<b>open</b> <i>1 2 3</i> <u>3</u> <s>3</s>')
    expect(proxy.requests).toHaveLength(2)
  })

  test('one that was given up is tried again when the user says so, for all who share it', async () => {
    const { hub, proxy, app } = await setUp()
    await app.view({ lists: 2 })
    await app.shows('<b>open</b>', 2)
    await hub.publish('a.x', [1], 'tick')
    await app.shows('<i>1</i>', 2)
    proxy.play([reply(403)])
    proxy.cutAll()
    await app.shows('<b>failed</b>', 2)
    await hub.publish('a.x', [2], 'tick')
    await app.click('button')
    await app.shows('<b>open</b> <i>1 2</i>', 2)
    expect(proxy.openCount).toBe(1)
  })

  test('what cannot be opened is told to the error boundary', async () => {
    const { hub, proxy, app } = await setUp()
    await app.shows('<b>open</b>')
    await app.view({ url: 'http://[' })
    await app.shows('url is http://[:')
    await expect.poll(() => hub.hub.stats().subscribers).toBe(0)
    expect(proxy.requests).toHaveLength(1)
  })

  test('what a server has rendered is taken over without a complaint', async () => {
    const program = await bundleScript('react-server-program.tsx', alias)
    const { html } = (await import(`data:text/javascript,${encodeURIComponent(program)}`)) as { html: string }
    expect(html).toContain('connecting')
    const { hub, proxy, app } = await setUp(html)
    await app.shows('<b>open</b>')
    await hub.publish('a.x', [1], 'tick')
    await app.shows('<i>1</i>')
    expect(app.errors).toEqual([])
    expect(proxy.requests).toHaveLength(1)
  })
}

/** The page from outside. */
class AppPage {
  readonly #page: BrowserPage
  constructor(page: BrowserPage) {
    this.#page = page
  }

  get errors(): readonly string[] {
    return this.#page.errors
  }

  async view(change: Partial<View>): Promise<void> {
    await this.#page.evaluate(`setView(${JSON.stringify(change)})`)
  }

  version(): Promise<string> {
    return this.#page.evaluate('reactVersion')
  }

  rendered(): Promise<string[]> {
    return this.#page.evaluate('rendered')
  }

  click(selector: string): Promise<void> {
    return this.#page.click(selector)
  }

  /** Waits until the text, React's comments left out, is in so many sections, and in all that there are. */
  async shows(html: string, count = 1): Promise<void> {
    const endMs = performance.now() + 15_000
    for (;;) {
      const root = await this.#page.evaluate<string>("document.querySelector('#root').innerHTML")
      const sections = root
        .replaceAll(/<!--.*?-->/g, '')
        .split('<section>')
        .slice(1)
      if (sections.length === count && sections.every((section) => section.includes(html))) return
      if (performance.now() > endMs) throw new Error(`The page does not show ${html} ${count} times, but ${root}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
