import { chromium, type BrowserContext } from 'playwright-core'
import { launch as launchFirefox, type BrowserContext as FirefoxContext } from 'puppeteer-core'
import { browserPath, type BrowserName } from '../../support/services.ts'

const CHROMIUM_ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A page of a real browser. */
export interface BrowserPage {
  /** The value of a JavaScript expression in the page; it must be one that JSON can carry. */
  evaluate<T>(expression: string): Promise<T>
  /** What the page wrote to the console as errors, and exceptions that nobody caught. */
  readonly errors: readonly string[]
  /** The URLs of all requests so far. */
  readonly requests: readonly string[]
  /** @param path of a PNG file */
  screenshot(path: string): Promise<void>
  click(selector: string): Promise<void>
  /** Replaces what a field holds. */
  fill(selector: string, text: string): Promise<void>
  press(key: 'Enter' | 'Tab' | 'Space'): Promise<void>
  /** Another tab of the same window: storage is shared, connections are counted together. */
  openTab(url: string): Promise<BrowserPage>
  /** Closes this tab alone, and asks nobody. */
  closeTab(): Promise<void>
  /** Closes the window, with all its tabs. */
  close(): Promise<void>
}

export interface PageOptions {
  /** CSS pixels. @default 1280 x 900 */
  readonly width?: number
  readonly height?: number
  /** Firefox is always light. @default 'light' */
  readonly colorScheme?: 'light' | 'dark'
}

export interface TestBrowser {
  /** The main process; unknown of Chromium. */
  readonly pid: number | undefined
  open(url: string, options?: PageOptions): Promise<BrowserPage>
  close(): Promise<void>
}

export interface LaunchOptions {
  /** Keeps pages that are left in the back/forward cache, which drivers of Chromium switch off. @default false */
  readonly keepsPages?: boolean
}

/** Starts the browser as it is installed on this machine, without a window. */
export function launchBrowser(name: BrowserName, options: LaunchOptions = {}): Promise<TestBrowser> {
  return name === 'chromium' ? startChromium(options) : startFirefox()
}

async function startChromium({ keepsPages = false }: LaunchOptions): Promise<TestBrowser> {
  const browser = await chromium.launch({
    executablePath: browserPath('chromium'),
    args: CHROMIUM_ARGUMENTS,
    ignoreDefaultArgs: keepsPages ? ['--disable-back-forward-cache'] : [],
  })
  return {
    pid: undefined,
    async open(url, { width = 1280, height = 900, colorScheme = 'light' } = {}) {
      const viewport = { width, height }
      return openInChromium(await browser.newContext({ viewport, colorScheme }), url)
    },
    close: () => browser.close(),
  }
}

async function openInChromium(context: BrowserContext, url: string): Promise<BrowserPage> {
  const page = await context.newPage()
  const errors: string[] = []
  const requests: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('request', (request) => requests.push(request.url()))
  await page.goto(url)
  return {
    errors,
    requests,
    evaluate: (expression) => page.evaluate(expression),
    screenshot: async (path) => void (await page.screenshot({ path, fullPage: true })),
    click: (selector) => page.click(selector),
    fill: (selector, text) => page.fill(selector, text),
    press: (key) => page.keyboard.press(key),
    openTab: (other) => openInChromium(context, other),
    closeTab: () => page.close(),
    close: () => context.close(),
  }
}

async function startFirefox(): Promise<TestBrowser> {
  const browser = await launchFirefox({
    browser: 'firefox',
    executablePath: browserPath('firefox'),
    protocol: 'webDriverBiDi',
    headless: true,
    // Its own errands, none of which a test needs.
    extraPrefsFirefox: {
      'app.update.enabled': false,
      'browser.newtabpage.enabled': false,
      'captivedetect.canonicalURL': '',
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
      'services.settings.server': '',
    },
  })
  return {
    pid: browser.process()?.pid,
    async open(url, { width = 1280, height = 900 } = {}) {
      return openInFirefox(await browser.createBrowserContext(), url, { width, height })
    },
    close: () => browser.close(),
  }
}

async function openInFirefox(
  context: FirefoxContext,
  url: string,
  viewport: { width: number; height: number },
): Promise<BrowserPage> {
  const page = await context.newPage()
  await page.setViewport(viewport)
  const errors: string[] = []
  const requests: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('request', (request) => requests.push(request.url()))
  await page.goto(url)
  return {
    errors,
    requests,
    evaluate: <T>(expression: string) => page.evaluate(expression) as Promise<T>,
    screenshot: async (path) => void (await page.screenshot({ path, fullPage: true })),
    click: (selector) => page.click(selector),
    fill: (selector, text) => page.locator(selector).fill(text),
    press: (key) => page.keyboard.press(key),
    openTab: (other) => openInFirefox(context, other, viewport),
    closeTab: () => page.close(),
    close: () => context.close(),
  }
}
