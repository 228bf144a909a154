import type { ResilienceFixtures } from '@millrace/testing/playwright'
import { defineConfig } from '@playwright/test'

const { STREAM_SERVER = 'http://127.0.0.1:3210', CHROMIUM } = process.env

export default defineConfig<ResilienceFixtures>({
  testMatch: '*.spec.ts',
  timeout: 60_000,
  workers: 1,
  reporter: 'list',
  use: {
    streamServer: STREAM_SERVER,
    // Without a path Playwright takes the browser that it has installed itself.
    launchOptions: CHROMIUM === undefined ? {} : { executablePath: CHROMIUM, args: ['--no-sandbox'] },
  },
  webServer: {
    command: `node --conditions=@millrace/source notes-server.ts ${new URL(STREAM_SERVER).port}`,
    url: STREAM_SERVER,
  },
})
