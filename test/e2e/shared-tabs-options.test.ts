/** Tabs that share a connection which has to be authorized, and one that is none: polls. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserAvailable, type BrowserName } from '../support/services.ts'
import { launchBrowser, type TestBrowser } from './support/browser.ts'
import {
  ASKED,
  expectAllOf,
  leaderOf,
  openTabs,
  setUpGuardedSharing,
  setUpSharing,
  sharing,
  SOON,
  TOPICS,
} from './support/sharing-stage.ts'

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(!browserAvailable(name))(`tabs of ${name} that share`, () => {
    suite(name)
  })
}

function suite(name: BrowserName): void {
  let browser: TestBrowser

  beforeAll(async () => {
    browser = await launchBrowser(name)
  })
  afterAll(() => browser?.close())

  test('an authorized connection renews an expired token once for all, and so does the next leader', async () => {
    const stage = await setUpGuardedSharing('first')
    const tabs = await openTabs(browser, stage, { options: 'authorize' })
    await stage.publish(TOPICS)
    await expectAllOf(stage, tabs)
    // Each tab has had a connection of its own for a moment.
    expect(stage.front.counts.get('/token')).toBe(ASKED.length)
    await stage.publishDuring(TOPICS, async () => {
      stage.renewToken('second')
      await sharing(stage, [...tabs.keys()])
    })
    await expectAllOf(stage, tabs)
    expect(stage.front.counts.get('/token')).toBe(ASKED.length + 1)
    const leader = await leaderOf([...tabs.keys()])
    tabs.delete(leader)
    await stage.publishDuring(TOPICS, async () => {
      await leader.closeTab()
      await sharing(stage, [...tabs.keys()])
    })
    await expectAllOf(stage, tabs)
    expect(stage.front.counts.get('/token')).toBe(ASKED.length + 2)
    await expect.poll(() => stage.connectionCount(), SOON).toBe(1)
  })

  for (const transport of ['long-polling', 'polling']) {
    test(`one tab asks for all of them by ${transport}, and the next one when it is closed`, async () => {
      const stage = await setUpSharing()
      const tabs = await openTabs(browser, stage, { options: `transport=${transport}`, streams: 0 })
      for (let round = 0; round < 2; round++) {
        await sharing(stage, [...tabs.keys()], 0)
        stage.front.takePeak()
        for (let i = 0; i < 5; i++) await stage.publish(TOPICS)
        await expectAllOf(stage, tabs)
        expect(stage.front.takePeak()).toBe(1)
        const leader = await leaderOf([...tabs.keys()])
        tabs.delete(leader)
        await stage.publishDuring(TOPICS, async () => {
          await leader.closeTab()
          await sharing(stage, [...tabs.keys()], 0)
        })
        await expectAllOf(stage, tabs)
      }
    })
  }
}
