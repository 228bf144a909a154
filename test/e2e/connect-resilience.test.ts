/** A page with `connect` and a hub: the four resilience cases of the testing kit. */
import { startFaultServer } from '@millrace/testing'
import {
  survivesClose,
  survivesOffline,
  survivesQuickReconnects,
  survivesReload,
  type ResilienceSubject,
} from '@millrace/testing/playwright'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { browserAvailable, browserPath } from '../support/services.ts'
import { bundlePage } from './support/bundle-page.ts'
import { startTestHub } from './support/test-hub.ts'

describe.skipIf(!browserAvailable('chromium'))('connect in Chromium', () => {
  let browser: Browser
  let html = ''

  beforeAll(async () => {
    html = await bundlePage('connect-page.ts', '<ol></ol>')
    browser = await chromium.launch({
      executablePath: browserPath('chromium'),
      args: ['--no-sandbox', '--disable-quic'],
    })
  })
  afterAll(() => browser?.close())

  test('survives close, reload, time offline and quick reconnects, and is owed what came meanwhile', async () => {
    const hub = await startTestHub({ retryMs: 50, heartbeatMs: 200 })
    const proxy = await startFaultServer({
      upstream: `http://127.0.0.1:${hub.port}`,
      pages: { '/': html },
    })
    onTestFinished(() => proxy.close())
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.goto(proxy.origin)
    const subject: ResilienceSubject<Page> = {
      page,
      proxy,
      publish: (label) => hub.hub.publish({ topic: 'a', data: label }),
      received: (shown) => shown.locator('li').allTextContents(),
      serverStreams: () => hub.hub.stats().subscribers,
      keepsIdOverReload: true,
    }
    await survivesQuickReconnects(subject)
    await survivesOffline(subject, { offlineMs: 600 })
    await survivesReload(subject)
    const again = await survivesClose(subject)
    expect(await again.title()).toBe('open')
    expect(proxy.openCount).toBe(1)
  })
})
