/** The fixtures of the testing kit under Playwright's own runner: the example, with a shorter time offline. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { browserAvailable, browserPath } from '../support/services.ts'

const folder = fileURLToPath(new URL('../../examples/stream-tests', import.meta.url))
const runner = fileURLToPath(import.meta.resolve('@playwright/test/cli'))

describe.skipIf(!browserAvailable('chromium'))('Playwright’s runner', () => {
  test('runs the four cases of the README', async () => {
    const output = await mkdtemp(join(tmpdir(), 'millrace-playwright-'))
    onTestFinished(() => rm(output, { recursive: true, force: true }))
    const child = spawn(process.execPath, [runner, 'test', '--output', output], {
      cwd: folder,
      env: {
        ...process.env,
        CHROMIUM: browserPath('chromium'),
        NODE_OPTIONS: '--conditions=@millrace/source',
        OFFLINE_MS: '500',
        STREAM_SERVER: `http://127.0.0.1:${await freePort()}`,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill())
    const report = await text(child.stdout)
    expect(report).toMatch(/^ *4 passed/m)
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return port
}
