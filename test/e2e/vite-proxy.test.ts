/** A development server before the hub, as docs/client.md has it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'vite'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from './support/free-port.ts'
import { startHubProcess } from './support/hub-process.ts'
import { CONNECTED } from './support/resume-client.ts'
import { openStream } from './support/stream-reader.ts'

const page = readFileSync(new URL('../../docs/client.md', import.meta.url), 'utf8')
const CONFIGURATION = /^```js\n(\/\/ vite\.config\.js\n[^]+?)^```/m.exec(page)?.[1] ?? ''

test('the proxy of Vite passes streams on as they come, lets its pages publish, and ends what is left', async () => {
  const hub = await startHubProcess(['--port', '0', '--log', 'memory:'])
  onTestFinished(() => hub.stop())
  const origin = await startVite(CONFIGURATION.replace('http://127.0.0.1:3000', hub.url))
  // As a page of it sends them: to its own origin a GET has no `Origin`, a POST has.
  const stream = await openStream(`${origin}/events?topic=a`)
  await stream.until(CONNECTED)
  for (const data of ['one', 'two']) {
    const headers = { 'Content-Type': 'application/json', Origin: origin }
    const body = JSON.stringify({ topic: 'a', data })
    expect((await fetch(`${origin}/events`, { method: 'POST', headers, body })).status).toBe(200)
    await stream.until((block) => block.data === data)
  }
  stream.close()
  const open = async (): Promise<unknown> => (await fetch(`${hub.url}/admin/connections`)).json()
  await expect.poll(open, { timeout: 10_000 }).toEqual({ connections: [] })
})

async function startVite(configuration: string): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'millrace-vite-'))
  const configFile = join(root, 'vite.config.js')
  writeFileSync(configFile, configuration)
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
  const port = await freePort()
  const server = await createServer({ root, configFile, logLevel: 'silent', server: { port, host: 'localhost' } })
  onTestFinished(async () => {
    await server.close()
    rmSync(root, { recursive: true, force: true })
  })
  await server.listen()
  return `http://localhost:${port}`
}
