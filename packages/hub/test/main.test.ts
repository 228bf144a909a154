import { readFileSync } from 'node:fs'
import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const bin = fileURLToPath(new URL('../bin/millrace.js', import.meta.url))
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

test('--version prints the version of the package', () => {
  expect(run('--version')).toMatchObject({ status: 0, stderr: '', stdout: `${manifest.version}\n` })
})

test.each([
  ['-h', /^Usage: millrace <command>/],
  ['serve -h', /^Usage: millrace serve/],
])('millrace %s prints the usage', (args, usage) => {
  expect(run(...args.split(' '))).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(usage) })
})

test('an option that there is not is no command', () => {
  expect(run('--verzion')).toMatchObject({
    status: 2,
    stdout: '',
    stderr: 'millrace: There is no option "--verzion". See millrace --help.\n',
  })
})

function run(...args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8', env: { PATH: process.env['PATH'] } })
}
