/** The cases of `packages/client/test/conformance` on Bun and Deno, as processes of their own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allCases, titleOf } from '../../packages/client/test/conformance/all-cases.ts'
import { startScriptServer, type ScriptServer } from '../../packages/client/test/conformance/server.ts'
import { bundleConformance } from './support/conformance-bundle.ts'

const SCRIPT = `
  const outcomes = await runCases(OwnEventSource, process.argv[2], cases)
  process.stdout.write(JSON.stringify(outcomes))
  process.exit(0)`

/** Programs have no base for relative URLs. */
const titles = allCases.filter(({ needs }) => needs !== 'base').map(titleOf)

const runtimes = [
  { name: 'Bun', command: 'bun', args: ['run'] },
  { name: 'Deno', command: 'deno', args: ['run', '--quiet', '--allow-net', '--allow-env'] },
]

describe('EventSource', () => {
  let server: ScriptServer
  let folder: string
  beforeAll(async () => {
    server = await startScriptServer()
    folder = await mkdtemp(join(tmpdir(), 'event-source-'))
    const globals = `import process from 'node:process'\n`
    await writeFile(join(folder, 'cases.mjs'), globals + (await bundleConformance(SCRIPT)))
  })
  afterAll(async () => {
    await server.close()
    await rm(folder, { recursive: true })
  })

  test.each(runtimes)('passes every case on $name', async ({ command, args }) => {
    const path = fileURLToPath(new URL(`../../node_modules/.bin/${command}`, import.meta.url))
    const child = spawn(path, [...args, join(folder, 'cases.mjs'), server.origin], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 80_000,
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    await once(child, 'close')
    expect(JSON.parse(output)).toEqual(Object.fromEntries(titles.map((title) => [title, 'passed'])))
  })
})
