/**
 * Tabs of Firefox that share one connection to a hub, and what becomes of it when their leader goes. Firefox freezes no tab, and no page
 * that takes part comes back from its back/forward cache: it keeps none that has a request or a lock, and decides so before
 * `pagehide`. Such a page is loaded anew.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { browserAvailable } from '../support/services.ts'
import { launchBrowser, type BrowserPage, type TestBrowser } from './support/browser.ts'
import {
  expectAllOf,
  leaderOf,
  openTabs,
  roleOf,
  setUpSharing,
  sharing,
  SOON,
  TOPICS,
  until,
} from './support/sharing-stage.ts'
import { processOf } from './support/tab-process.ts'

/** Firefox has six connections to a host over HTTP/1.1, and three more for what is urgent, such as a page or a native stream. */
const TEN = 10

describe.skipIf(!browserAvailable('firefox'))('tabs of Firefox that share a connection', () => {
  let browser: TestBrowser

  beforeAll(async () => {
    browser = await launchBrowser('firefox')
  })
  afterAll(() => browser?.close())

  test('ten tabs work over HTTP/1.1, each with its own topics', async () => {
    const stage = await setUpSharing()
    const tabs = await openTabs(browser, stage, { count: TEN })
    for (let i = 0; i < 10; i++) await stage.publish(TOPICS)
    await expectAllOf(stage, tabs)
    await expect.poll(() => stage.connectionCount(), SOON).toBe(1)
  })

  for (const [end, act] of [
    ['is closed', (tab: BrowserPage) => tab.closeTab()],
    [
      'loses its process',
      async (tab: BrowserPage) => void process.kill(await processOf(tab, Number(browser.pid)), 'SIGKILL'),
    ],
  ] as const) {
    test(`nothing is lost or doubled when the leader ${end}`, async () => {
      const stage = await setUpSharing()
      const tabs = await openTabs(browser, stage)
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

  test('nothing is lost or doubled when the leader leaves for another page, and comes back', async () => {
    const stage = await setUpSharing()
    const tabs = await openTabs(browser, stage)
    const leader = await leaderOf([...tabs.keys()])
    const others = new Map([...tabs].filter(([tab]) => tab !== leader))
    await stage.publishDuring(TOPICS, async () => {
      await leader.evaluate(`location.href = '/away', 0`)
      await sharing(stage, [...others.keys()])
    })
    await expectAllOf(stage, others)
    await leader.evaluate('history.back(), 0')
    await until('the page', async () => (await leader.evaluate('typeof stream').catch(() => '')) === 'object')
    await sharing(stage, [...tabs.keys()])
    await stage.publish(TOPICS)
    await expectAllOf(stage, others)
    await expect.poll(() => stage.connectionCount(), SOON).toBe(1)
  })

  test('another tab takes over from a leader that hangs, which then follows', async () => {
    const stage = await setUpSharing()
    const tabs = await openTabs(browser, stage)
    const leader = await leaderOf([...tabs.keys()])
    const others = [...tabs.keys()].filter((tab) => tab !== leader)
    await leader.evaluate(`setTimeout(() => { for (const end = Date.now() + 25_000; Date.now() < end;); }, 0), 0`)
    await stage.publishDuring(TOPICS, () =>
      until('another leader', async () => (await Promise.all(others.map(roleOf))).includes('leading')),
    )
    await sharing(stage, [...tabs.keys()])
    await expectAllOf(stage, tabs)
    expect(await roleOf(leader)).toBe('following')
  }, 120_000)

  test('a tenth tab hangs with native streams over HTTP/1.1, until one of them is closed', async () => {
    const stage = await setUpSharing()
    const url = `${stage.origin}/native`
    const first = await browser.open(url)
    onTestFinished(() => first.close())
    for (let i = 2; i < TEN; i++) await first.openTab(url)
    await until('nine streams', async () => (await stage.connectionCount()) === TEN - 1)
    const opened = first.openTab(url)
    const hung = new Promise<string>((resolve) => setTimeout(() => resolve('hung'), 3_000))
    expect(await Promise.race([opened, hung])).toBe('hung')
    await first.evaluate('source.close()')
    const tenth = await opened
    await until('its stream', async () => (await tenth.evaluate('source.readyState')) === 1)
    await stage.publish(['a'])
    await until('its event', async () => (await tenth.evaluate('seen.length')) === 1)
  })

  test('a closed stream leaves no lock', async () => {
    const stage = await setUpSharing()
    const [page] = (await openTabs(browser, stage)).keys()
    await page?.evaluate('stream.close()')
    const held = 'navigator.locks.query().then(({ held, pending }) => held.length + pending.length)'
    // Three tabs: each has its own lock and waits for, or has, the one of the leader, who waits for the other two.
    await expect.poll(() => page?.evaluate(held), { timeout: 20_000 }).toBe(8)
  })
})
