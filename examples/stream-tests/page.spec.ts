import {
  resilienceFixtures,
  survivesClose,
  survivesOffline,
  survivesQuickReconnects,
  survivesReload,
  type ResilienceFixtures,
  type ResilienceSubject,
} from '@millrace/testing/playwright'
import { test as base, type Page } from '@playwright/test'

const test = base.extend<ResilienceFixtures & { notes: ResilienceSubject<Page> }>({
  ...resilienceFixtures,
  // Loaded by `baseURL`, which is the proxy: page and stream both pass through it.
  notes: async ({ page, request, streamServer, faultProxy }, use) => {
    await page.goto('/')
    await use({
      page,
      proxy: faultProxy,
      // Past the proxy, which is offline at times.
      publish: (label) => request.post(`${streamServer}/notes`, { data: label }),
      received: (shown) => shown.locator('#notes li').allTextContents(),
    })
  },
})

test('close: the streams end, and a page that is opened again has one', async ({ notes }) => {
  await survivesClose(notes)
})

test('reload: one stream as before, everything from then on', async ({ notes }) => {
  await survivesReload(notes)
})

test('ten seconds offline: nothing is missing, nothing is twice', async ({ notes }) => {
  await survivesOffline(notes, { offlineMs: Number(process.env.OFFLINE_MS ?? 10_000) })
})

test('ten quick reconnects', async ({ notes }) => {
  await survivesQuickReconnects(notes)
})
