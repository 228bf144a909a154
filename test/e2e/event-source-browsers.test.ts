/**
 * The cases of `packages/client/test/conformance` in real browsers: for our class, and for the browser's own wherever a
 * case is the standard's, which proves the cases. Then in a web worker and in a service worker.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allCases, nativeCases, titleOf } from '../../packages/client/test/conformance/all-cases.ts'
import { startScriptServer, type ScriptServer } from '../../packages/client/test/conformance/server.ts'
import { browserAvailable, type BrowserName } from '../support/services.ts'
import { launchBrowser, type BrowserPage, type TestBrowser } from './support/browser.ts'
import { bundleConformance } from './support/conformance-bundle.ts'

const PAGE = '<!doctype html><meta charset="utf-8"><script type="module" src="/page.js"></script>'

const PAGE_SCRIPT = `
  Object.assign(globalThis, {
    OwnEventSource,
    runOwn: () => runCases(OwnEventSource, location.origin, cases),
    runNative: (browser) => runCases(EventSource, location.origin, nativeCases(browser)),
    runInWorker: () => new Promise((resolve) => {
      new Worker('/worker.js', { type: 'module' }).onmessage = ({ data }) => resolve(data)
    }),
    runInServiceWorker: async () => {
      const registration = await navigator.serviceWorker.register('/service-worker.js', { type: 'module' })
      await navigator.serviceWorker.ready
      const { port1, port2 } = new MessageChannel()
      registration.active.postMessage('run', [port2])
      return new Promise((resolve) => { port1.onmessage = ({ data }) => resolve(data) })
    },
  })`
const WORKER_SCRIPT = `postMessage(await runCases(OwnEventSource, location.origin, cases))`
const SERVICE_WORKER_SCRIPT = `
  addEventListener('message', (event) => event.waitUntil(
    runCases(OwnEventSource, location.origin, cases).then((outcomes) => event.ports[0].postMessage(outcomes))))`

const all = allCases.map(titleOf)

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(!browserAvailable(name))(`EventSource in ${name}`, () => {
    suite(name)
  })
}

function suite(name: BrowserName): void {
  let server: ScriptServer
  let browser: TestBrowser
  let page: BrowserPage

  beforeAll(async () => {
    server = await startScriptServer()
    const script = async (path: string, source: string): Promise<void> =>
      void server.files.set(path, { type: 'text/javascript', text: await bundleConformance(source) })
    server.files.set('/', { type: 'text/html', text: PAGE })
    await script('/page.js', PAGE_SCRIPT)
    await script('/worker.js', WORKER_SCRIPT)
    await script('/service-worker.js', SERVICE_WORKER_SCRIPT)
    browser = await launchBrowser(name)
    page = await browser.open(`${server.origin}/`)
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  test('our class passes every case', async () => {
    expect(await page.evaluate('runOwn()')).toEqual(passed(all))
  })

  test('the class of the browser passes every case of the standard', async () => {
    expect(await page.evaluate(`runNative('${name}')`)).toEqual(passed(nativeCases(name).map(titleOf)))
  })

  test('our class passes every case in a web worker', async () => {
    expect(await page.evaluate('runInWorker()')).toEqual(passed(all))
  })

  test('our class passes every case in a service worker', async () => {
    expect(await page.evaluate('runInServiceWorker()')).toEqual(passed(all))
  })
}

function passed(titles: readonly string[]): Record<string, string> {
  return Object.fromEntries(titles.map((title) => [title, 'passed']))
}
