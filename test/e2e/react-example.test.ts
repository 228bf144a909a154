/** The React example of the client's README, as it stands there, in Chromium. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { browserAvailable } from '../support/services.ts'
import { launchBrowser } from './support/browser.ts'

const folder = new URL('../../examples/react-prices/', import.meta.url)

test('prices.tsx stands in the README as it is', () => {
  const readme = readFileSync(new URL('../../packages/client/README.md', import.meta.url), 'utf8')
  expect(readme).toContain(`\`\`\`tsx\n${readFileSync(new URL('prices.tsx', folder), 'utf8')}\`\`\`\n`)
})

describe.skipIf(!browserAvailable('chromium'))('the prices of the README in Chromium', () => {
  test('move, over one connection', async () => {
    const browser = await launchBrowser('chromium')
    onTestFinished(() => browser.close())
    const page = await browser.open(await serve())
    const prices = (): Promise<string[]> =>
      page.evaluate("[...document.querySelectorAll('td')].map((cell) => cell.textContent)")
    await expect.poll(prices, { timeout: 15_000 }).not.toContain('–')
    const first = await prices()
    expect(first.map(Number).every((price) => price > 100)).toBe(true)
    await expect.poll(prices, { timeout: 15_000 }).not.toEqual(first)
    expect(await page.evaluate("document.querySelector('p').textContent")).toBe('Live')
    expect(page.requests.filter((url) => url.includes('/events'))).toHaveLength(1)
  })
})

/** Runs the example's server on a free port, otherwise as it stands there. */
async function serve(): Promise<string> {
  const preload = new URL('../examples/listen-anywhere.ts', import.meta.url)
  const child = spawn(
    process.execPath,
    ['--conditions=@millrace/source', '--import', preload.href, fileURLToPath(new URL('serve.ts', folder))],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  onTestFinished(() => void child.kill())
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  return `http://127.0.0.1:${String(port).trim()}/`
}
