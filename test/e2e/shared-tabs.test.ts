/** Tabs of Chromium that share one connection to a hub, over HTTP/1.1, and what becomes of it when their leader goes. */
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { launch as launchHiding, type Page as HideablePage } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { browserAvailable, browserPath } from '../support/services.ts'
import {
  ASKED,
  expectAllOf,
  leaderOf,
  roleOf,
  SEVEN,
  setUpSharing,
  sharing,
  sharingUrl,
  SOON,
  TOPICS,
  until,
  type SharingStage,
} from './support/sharing-stage.ts'

describe.skipIf(!browserAvailable('chromium'))('tabs of Chromium that share a connection', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: browserPath('chromium'),
      args: ['--no-sandbox', '--disable-quic', '--disable-gpu'],
    })
  })
  afterAll(() => browser?.close())

  async function openContext(): Promise<BrowserContext> {
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    return context
  }

  /** Four tabs with topics of their own, one of which has the connection. */
  async function openTabs(stage: SharingStage): Promise<Map<Page, readonly string[]>> {
    const context = await openContext()
    const tabs = new Map<Page, readonly string[]>()
    for (const topics of ASKED) {
      const page = await context.newPage()
      await page.goto(sharingUrl(stage, topics))
      tabs.set(page, topics)
    }
    await sharing(stage, [...tabs.keys()])
    return tabs
  }

  test('each tab gets its own topics over one connection', async () => {
    const stage = await setUpSharing()
    const tabs = await openTabs(stage)
    for (let i = 0; i < 20; i++) await stage.publish(TOPICS)
    await expectAllOf(stage, tabs)
    await expect.poll(() => stage.connectionCount(), SOON).toBe(1)
  })

  for (const [end, act] of [
    ['is closed', (page: Page) => page.close()],
    ['leaves for another page', async (page: Page) => void (await page.goto(new URL('/away', page.url()).href))],
    ['crashes', crash],
  ] as const) {
    test(`nothing is lost or doubled when the leader ${end}`, async () => {
      const stage = await setUpSharing()
      const tabs = await openTabs(stage)
      for (let round = 0; round < 2; round++) {
        const leader = await leaderOf([...tabs.keys()])
        tabs.delete(leader)
        await stage.publishDuring(TOPICS, async () => {
          await act(leader)
          await sharing(stage, [...tabs.keys()])
        })
        await expectAllOf(stage, tabs)
        await expect.poll(() => stage.connectionCount(), SOON).toBe(1)
      }
    })
  }

  test('nothing is lost or doubled when the leader is frozen, and when it runs again', async () => {
    const stage = await setUpSharing()
    const { tabs, freeze, thaw } = await openFreezableTabs(stage)
    const leader = await leaderOf([...tabs.keys()])
    const others = [...tabs.keys()].filter((page) => page !== leader)
    await stage.publishDuring(TOPICS, async () => {
      await freeze(leader)
      await sharing(stage, others)
    })
    await stage.publishDuring(TOPICS, async () => {
      await thaw(leader)
      await sharing(stage, [...tabs.keys()])
    })
    await expectAllOf(stage, tabs)
    expect(await roleOf(leader)).toBe('following')
    expect(await leader.evaluate('lifecycle')).toEqual(['freeze', 'resume'])
  })

  test('another tab takes over from a leader that hangs, which then follows', async () => {
    const stage = await setUpSharing()
    const tabs = await openTabs(stage)
    const leader = await leaderOf([...tabs.keys()])
    const others = [...tabs.keys()].filter((page) => page !== leader)
    await leader.evaluate(`setTimeout(() => { for (const end = Date.now() + 25_000; Date.now() < end;); }, 0), 0`)
    await stage.publishDuring(TOPICS, () =>
      until('another leader', async () => (await Promise.all(others.map(roleOf))).includes('leading')),
    )
    await sharing(stage, [...tabs.keys()])
    await expectAllOf(stage, tabs)
    expect(await roleOf(leader)).toBe('following')
  }, 120_000)

  test('a seventh tab hangs with native streams over HTTP/1.1', async () => {
    const stage = await setUpSharing()
    const context = await openContext()
    const pages: Page[] = []
    for (let i = 0; i < SEVEN - 1; i++) {
      pages.push(await context.newPage())
      await pages.at(-1)?.goto(`${stage.origin}/native`)
    }
    await until('six streams', async () => (await stage.connectionCount()) === SEVEN - 1)
    const seventh = await context.newPage()
    await expect(seventh.goto(`${stage.origin}/native`, { timeout: 3_000 })).rejects.toThrow('Timeout')
  })

  test('seven tabs that share work over HTTP/1.1', async () => {
    const stage = await setUpSharing()
    const context = await openContext()
    const pages: Page[] = []
    for (let i = 0; i < SEVEN; i++) {
      pages.push(await context.newPage())
      await pages.at(-1)?.goto(sharingUrl(stage, ['a']))
    }
    await sharing(stage, pages)
    await stage.publish(['a', 'a', 'a'])
    await expectAllOf(stage, new Map(pages.map((page) => [page, ['a']])))
    await expect.poll(() => stage.connectionCount(), SOON).toBe(1)
  })

  test('a closed stream leaves no lock', async () => {
    const stage = await setUpSharing()
    const page = [...(await openTabs(stage)).keys()][0] as Page
    await page.evaluate('stream.close()')
    const held = 'navigator.locks.query().then(({ held, pending }) => held.length + pending.length)'
    // Three tabs: each has its own lock and waits for, or has, the one of the leader, who waits for the other two.
    await expect.poll(() => page.evaluate(held), { timeout: 20_000 }).toBe(8)
  })
})

/** A browser only freezes tabs that it hides, which the other driver does not let it do. */
async function openFreezableTabs(stage: SharingStage): Promise<{
  readonly tabs: ReadonlyMap<HideablePage, readonly string[]>
  freeze(page: HideablePage): Promise<void>
  thaw(page: HideablePage): Promise<void>
}> {
  const browser = await launchHiding({
    executablePath: browserPath('chromium'),
    args: ['--no-sandbox', '--disable-quic', '--disable-gpu'],
  })
  onTestFinished(() => browser.close())
  const tabs = new Map<HideablePage, readonly string[]>()
  for (const topics of ASKED) {
    const page = await browser.newPage()
    await page.goto(sharingUrl(stage, topics))
    await page.evaluate(`var lifecycle = []
      for (const type of ['freeze', 'resume']) document.addEventListener(type, () => lifecycle.push(type))`)
    tabs.set(page, topics)
  }
  const front = await browser.newPage()
  await front.bringToFront()
  await sharing(stage, [...tabs.keys()])
  const set = async (page: HideablePage, state: 'frozen' | 'active'): Promise<void> => {
    const devTools = await page.createCDPSession()
    await devTools.send('Page.setWebLifecycleState', { state })
  }
  return { tabs, freeze: (page) => set(page, 'frozen'), thaw: (page) => set(page, 'active') }
}

async function crash(page: Page): Promise<void> {
  const crashed = new Promise((resolve) => page.once('crash', resolve))
  const devTools = await page.context().newCDPSession(page)
  devTools.send('Page.crash').catch(() => undefined)
  await crashed
}
