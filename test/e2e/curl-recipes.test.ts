/** Runs every command of docs/testing.md against a hub, and compares what it prints with what the page says. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHubProcess, type HubProcess } from './support/hub-process.ts'

const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')
const hasCurl = spawnSync('curl', ['--version']).status === 0

interface Recipe {
  readonly title: string
  readonly command: string
  readonly output: string
}

/** Each section with a command; the output stands behind it. */
const recipes: readonly Recipe[] = page
  .split(/^## /m)
  .filter((section) => section.includes('```sh\n'))
  .map((section) => {
    const [title = ''] = section.split('\n')
    const [, command = '', output = ''] = /```sh\n([^]+?)```\n\n```text\n([^]+?)```/.exec(section) ?? []
    return { title, command, output }
  })

test('the page has recipes, each with a command and what it prints', () => {
  expect(recipes).toHaveLength(8)
  for (const { command, output } of recipes) expect([command, output]).not.toContain('')
})

describe.skipIf(!hasCurl)('a recipe of docs/testing.md', () => {
  let hub: HubProcess

  beforeAll(async () => {
    hub = await startHubProcess(['--port', '0', '--log', 'memory:'])
  })
  afterAll(() => hub?.stop())

  test.each(recipes)('$title', async ({ command, output }) => {
    expect(await run(command.replaceAll('127.0.0.1:3000', `127.0.0.1:${hub.port}`))).toMatch(pattern(output))
  })
})

/** What a shell prints. That the time is over, which is what ends the watching, goes elsewhere. */
async function run(command: string): Promise<string> {
  const shell = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'ignore'] })
  return (await text(shell.stdout)).replaceAll('\r\n', '\n')
}

/** The output of the page as a pattern: `…` is anything, all else is meant. */
function pattern(output: string): RegExp {
  const parts = output
    .trimEnd()
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^]*?')}\\s*$`)
}
