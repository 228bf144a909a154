/** Pages of one origin and a hub behind nginx of another, in real browsers: the lines of docs/client.md. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { browserAvailable, type BrowserName } from '../support/services.ts'
import { launchBrowser, type TestBrowser } from './support/browser.ts'
import { bundlePage } from './support/bundle-page.ts'
import { startHubProcess } from './support/hub-process.ts'
import { documentedCorsLocation, nginxAvailable, startNginx } from './support/nginx.ts'

const PATIENCE = { timeout: 20_000, interval: 20 }

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(!nginxAvailable() || !browserAvailable(name))(`a page of another origin in ${name}`, () => {
    suite(name)
  })
}

function suite(name: BrowserName): void {
  let browser: TestBrowser
  let html = ''

  beforeAll(async () => {
    html = await bundlePage('connect-anywhere-page.ts', '')
    browser = await launchBrowser(name)
  })
  afterAll(() => browser?.close())

  test('reads a stream behind nginx with credentials in a header, and comes back with its id', async () => {
    const app = await servePage(html)
    const hub = await startHubProcess(['--port', '0', '--log', 'memory:'])
    onTestFinished(() => hub.stop())
    const nginx = await startNginx(documentedCorsLocation(app), hub.port)
    const page = await browser.open(app)
    onTestFinished(() => page.close())
    const listening = `listen('${nginx}/events', { transport: 'stream', headers: { Authorization: 'Bearer x' } })`
    await page.evaluate(`void ${listening}`)
    await expect.poll(() => page.evaluate('statuses.at(-1)?.name ?? null'), PATIENCE).toBe('open')
    await publish(hub.url, 1)
    await expect.poll(() => page.evaluate('seen'), PATIENCE).toEqual([1])
    await endStreams(hub.url)
    await publish(hub.url, 2)
    await expect.poll(() => page.evaluate('seen'), PATIENCE).toEqual([1, 2])
    expect(await page.evaluate<{ code: string }[]>('errors')).toEqual([expect.objectContaining({ code: 'ended' })])
  })
}

/** Serves a page at an origin of its own. Returns the origin. */
async function servePage(html: string): Promise<string> {
  const server = createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end(html))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function publish(hub: string, n: number): Promise<void> {
  const body = JSON.stringify({ topic: 'a', data: { n } })
  const { ok } = await fetch(`${hub}/events`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
  expect(ok).toBe(true)
}

async function endStreams(hub: string): Promise<void> {
  const { connections } = (await (await fetch(`${hub}/admin/connections`)).json()) as { connections: { id: string }[] }
  expect(connections).toHaveLength(1)
  for (const { id } of connections) await fetch(`${hub}/admin/connections/${id}`, { method: 'DELETE' })
}
